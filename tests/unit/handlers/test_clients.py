"""The clients of the functions."""

from typing import Any

import boto3
import pytest

from lambdas.handlers import clients
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


def test_functions_share_the_calls_of_the_setting_through_the_ledger(
    monkeypatch: pytest.MonkeyPatch, aws: Aws, table: Any
) -> None:
    monkeypatch.setattr(clients, "settings", lambda: make_settings(calls_per_minute=1))
    monkeypatch.setattr(clients, "_table", lambda: table)
    clients.symplify.cache_clear()
    try:
        take = clients.symplify()._take_call
        assert take is not None
        assert take() == 0
        assert take() > 0
        assert table.get_item(Key={"pk": "account", "sk": "calls"})["Item"]["schema_version"] == 1
    finally:
        clients.symplify.cache_clear()
