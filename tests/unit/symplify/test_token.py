"""The token in the secret."""

import json
from typing import Any

import boto3
import pytest

from lambdas.symplify.token import PLACEHOLDER, TokenNotSet, token_source
from tests.unit.aws.in_process import Aws


def read(aws: Any, **secret: Any) -> str:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="token", **secret)["ARN"]
    return token_source(client, arn)()


@pytest.mark.parametrize("text", ["abc/+=-", "  abc/+=-\n", json.dumps({"token": "abc/+=-", "note": 1})])
def test_the_token_is_plain_text_or_a_field(aws: Aws, text: str) -> None:
    assert read(aws, SecretString=text) == "abc/+=-"


def test_a_binary_secret_is_refused_with_a_sentence(aws: Aws) -> None:
    with pytest.raises(TokenNotSet, match="put-secret-value"):
        read(aws, SecretBinary=b"abc")


def test_a_changed_token_is_read_the_next_time(aws: Aws) -> None:
    client = boto3.client("secretsmanager")
    arn = client.create_secret(Name="token", SecretString="one")["ARN"]
    source = token_source(client, arn)

    assert source() == "one"
    client.put_secret_value(SecretId=arn, SecretString="two")
    assert source() == "two"


@pytest.mark.parametrize("text", [PLACEHOLDER, f" {PLACEHOLDER} ", "   ", json.dumps({"token": PLACEHOLDER})])
def test_the_placeholder_is_refused_with_the_command_that_sets_the_token(aws: Aws, text: str) -> None:
    with pytest.raises(TokenNotSet, match="aws secretsmanager put-secret-value --secret-id arn:"):
        read(aws, SecretString=text)


@pytest.mark.parametrize(
    "text",
    ["{}", '{"token": null}', '{"token": 5}', '{"Token": "s3cr3t"}', '{"token": "s3cr3t"', "s3cr3t\ns3cr3t", "s3cr3t…"],
)
def test_what_cannot_be_a_token_is_refused_without_being_shown(aws: Aws, text: str) -> None:
    with pytest.raises(TokenNotSet) as refused:
        read(aws, SecretString=text)

    error: BaseException | None = refused.value
    assert "s3cr3t" not in str(error)
    assert error is not None
    assert error.__cause__ is None
    assert error.__suppress_context__ or error.__context__ is None
