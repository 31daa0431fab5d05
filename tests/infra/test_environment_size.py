"""Settings that are too long together for a function's environment are refused before anything is deployed."""

import json

import pytest

from infra.environment_size import MOST_BYTES, check_size
from infra.settings import BadSetting
from lambdas.vocabulary import EXPORT_TYPES
from tests.infra.synthesis import Template, synthesized

LONG = {export: [f"{'field' * 11}{number}" for number in range(8)] for export in EXPORT_TYPES}


def test_settings_that_are_too_long_for_lambda_are_one_sentence_with_their_names() -> None:
    with pytest.raises(BadSetting, match=r"Lambda takes 4,096: shorten identityFields \([45],\d{3} bytes\)\.$"):
        synthesized(identityFields=LONG)


def test_an_environment_of_exactly_the_limit_passes_and_one_byte_more_does_not() -> None:
    rest = len(json.dumps({"BASE_URL": ""}, separators=(",", ":")))
    check_size({"BASE_URL": "x" * (MOST_BYTES - rest)})
    with pytest.raises(BadSetting, match="baseUrl"):
        check_size({"BASE_URL": "x" * (MOST_BYTES - rest + 1)})


def test_no_value_that_the_deployment_fills_in_is_longer_than_it_counts(template: Template) -> None:
    """The longest are the ARN of the secret, named after the stack, and that of the topic."""
    longest_stack, region, hash_and_suffix = "x" * 29, "ap-southeast-1", "x" * 20
    (secret,) = template.find_resources("AWS::SecretsManager::Secret")
    arn = f"arn:aws-us-gov:secretsmanager:{region}:123456789012:secret:"
    assert len(f"{arn}{secret}-{hash_and_suffix}") <= 128
    assert len(f"arn:aws-us-gov:sns:{region}:123456789012:{longest_stack}-alerts") <= 128
