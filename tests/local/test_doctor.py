"""The doctor finds what is wrong, and says what to do."""

import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.lake.views.documents import view_input
from lambdas.lake.views.view import View, ViewColumn
from local.checks import Check
from local.doctor import Stack, examine
from local.lifecycle import Running
from local.problem import Problem
from tests.conftest import local_in_process
from tests.workflow.machine import token


def test_a_stack_that_is_well_has_a_tick_everywhere(cloud_home: Path, running: Running) -> None:
    assert local_in_process("run", "LISTS", home=cloud_home).returncode == 0
    done = local_in_process("doctor", home=cloud_home)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line[0] for line in done.stdout.splitlines()} == {"✓"}


def test_a_placeholder_and_a_wrong_token_are_found_with_what_to_do(cloud_home: Path, running: Running) -> None:
    with token(running, "replace-me"):
        done = local_in_process("doctor", "--json", home=cloud_home)
        assert done.returncode == 1
        checks = {check["check"]: check for check in json.loads(done.stdout)}
        assert not checks["secret"]["ok"]
        assert "put-secret-value" in checks["secret"]["words"]
    with token(running, "wrong"):
        checks = {
            check["check"]: check for check in json.loads(local_in_process("doctor", "--json", home=cloud_home).stdout)
        }
    assert checks["secret"]["ok"]
    assert "401" in checks["symplify"]["words"]


OUTPUTS = {name: f"the-{name}" for name in ("Database", "WorkGroup", "TokenSecretArn", "AlertTopicArn")}
ENVIRONMENT = {"CUSTOMER_ID": "123456", "BASE_URL": "https://x/rest", "TIME_ZONE": "UTC", "WATCHED_EXPORTS": "OPENS"}


class Answers:
    """Clients whose calls answer what a test says."""

    def __init__(self, **answers: Any) -> None:
        self._answers = {
            "get_function_configuration": {"Role": "arn:role", "Environment": {"Variables": ENVIRONMENT}},
            "get_database": {"Database": {}},
            **answers,
        }

    def get_paginator(self, name: str) -> Any:
        return SimpleNamespace(paginate=lambda **words: [getattr(self, name)(**words)])

    def __getattr__(self, name: str) -> Any:
        def call(*_words: Any, **_: Any) -> Any:
            answer = self._answers.get(name)
            if answer is None:
                raise ClientError({"Error": {"Code": "AccessDenied", "Message": f"no right to {name}"}}, name)
            return answer

        return call


def examined(**answers: Any) -> Mapping[str, Check]:
    def refuse(_sql: str) -> Any:
        raise Problem("Athena could not answer: no bucket")

    client = Answers(**answers)
    return {check.name: check for check in examine(Stack("lake", OUTPUTS), lambda _service: client, refuse)}


def test_a_permission_that_the_caller_lacks_is_reported_and_the_other_checks_run() -> None:
    found = examined()
    assert "AccessDenied" in found["workgroup"].words
    assert "example" in found["settings"].words


@pytest.mark.parametrize(
    ("subscriptions", "words"),
    [
        ([], "set alertEmails"),
        ([{"SubscriptionArn": "PendingConfirmation", "Endpoint": "team@example.com"}], "Confirm the mail"),
    ],
)
def test_failures_need_a_confirmed_subscription(subscriptions: list[Any], words: str) -> None:
    found = examined(list_subscriptions_by_topic={"Subscriptions": subscriptions})["subscriptions"]
    assert not found.is_well
    assert words in found.words


def test_lake_formation_that_blocks_is_reported_with_the_grants_to_run() -> None:
    settings: dict[str, Any] = {"DataLakeSettings": {"CreateTableDefaultPermissions": []}}
    found = examined(get_data_lake_settings=settings, list_permissions={"PrincipalResourcePermissions": []})[
        "lake formation"
    ]
    assert not found.is_well
    assert "aws lakeformation grant-permissions" in found.words
    assert "arn:role" in found.words


def test_lake_formation_that_nobody_may_ask_is_no_tick_where_the_database_is_closed() -> None:
    found = examined()["lake formation"]
    assert not found.is_well
    assert "get_data_lake_settings" in found.words


def test_a_database_that_is_open_by_iam_blocks_nobody() -> None:
    everybody = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
    assert examined(get_database={"Database": {"CreateTableDefaultPermissions": [everybody]}})["lake formation"].is_well


@pytest.mark.parametrize(
    ("tables", "words"),
    [
        ([], "No run has ended yet"),
        (
            [{"Name": "export_runs"}, {"Name": "opens", "Parameters": {"time_zone": "Europe/Oslo"}}],
            "opens (Europe/Oslo)",
        ),
    ],
)
def test_tables_that_are_missing_or_of_another_time_zone_are_found(tables: list[Any], words: str) -> None:
    found = examined(get_tables={"TableList": tables})["tables"]
    assert not found.is_well
    assert words in found.words


def test_athenas_reason_is_reported() -> None:
    assert "no bucket" in examined()["query"].words


def test_a_table_shows_what_it_takes_its_fields_for_and_one_that_is_blocked_says_why() -> None:
    profile = {"eventTime": [{"field": "openTime", "format": "epoch-milliseconds"}], "identity": ["contactId"]}
    facts = {"profile": json.dumps(profile | {"state": "settled"}), "history": json.dumps({"blocked": None})}
    tables = [{"Name": "export_runs"}, {"Name": "opens", "Parameters": facts}]
    found = examined(get_tables={"TableList": tables})["tables"]
    assert found.is_well
    assert "time openTime (epoch-milliseconds), identified by contactId, settled" in found.words
    facts["history"] = json.dumps({"blocked": "An export contradicts it."})
    found = examined(get_tables={"TableList": tables})["tables"]
    assert not found.is_well
    assert "opens: An export contradicts it." in found.words


def test_a_view_that_athena_refuses_is_named_with_what_to_do() -> None:
    view = view_input(View("sends", "", "SELECT 1 AS a", (ViewColumn("a", "bigint", ""),)), "lake")
    found = examined(get_tables={"TableList": [dict(view), {"Name": "opens"}]})["views"]
    assert not found.is_well
    assert "sends: Athena could not answer: no bucket" in found.words
    assert "run any export" in found.words
    assert examined(get_tables={"TableList": []})["views"].is_well
