"""The clients of the functions."""

import boto3
import pytest

from lambdas.handlers import (
    clients,
)
from lambdas.symplify.link_renewal import READERS
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.aws.in_process import Aws
from tests.unit.fakes import BUCKET, TOKEN, make_settings


def test_clients_are_made_once_from_the_environment(monkeypatch: pytest.MonkeyPatch, aws: Aws) -> None:
    plain = make_settings()
    arn = boto3.client("secretsmanager").create_secret(Name="t", SecretString=TOKEN)["ARN"]
    for name, value in vars(plain).items():
        text = ",".join(value) if isinstance(value, tuple) else str(value)
        monkeypatch.setenv(name.upper(), "false" if value is False else text)
    monkeypatch.setenv("TOKEN_SECRET_ARN", arn)
    made = (clients.settings, clients.http, clients.symplify, clients._table)
    for maker in made:
        maker.cache_clear()
    try:
        assert clients.settings().bucket == BUCKET
        assert clients.symplify() is clients.symplify()
        assert clients.http().connection_pool_kw == {"maxsize": READERS}
        assert clients.ledger(EXPORT_TYPES["OPENS"])._table.name == "ledger"
    finally:
        for maker in made:
            maker.cache_clear()
