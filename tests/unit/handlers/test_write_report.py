"""write_report as its rules call it."""

from typing import Any

import boto3
import pytest

from lambdas.handlers import athena, clients, write_report
from lambdas.lake.storage.store import Store
from lambdas.ledger.ledger import Ledger
from tests.unit.fakes import BUCKET, make_settings

ENDED = {"source": "aws.states", "detail": {"status": "SUCCEEDED"}}
DAILY = {"source": "aws.events"}


class StepFunctions:
    """Step Functions with so many running executions, of which a page has two."""

    def __init__(self, running: int) -> None:
        self.running = running

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, statusFilter: str, **_: Any) -> Any:  # noqa: N803 - boto3's own name
        assert statusFilter == "RUNNING"
        found: list[dict[str, str]] = [{}] * self.running
        return [{"executions": found[:2]}, {"executions": found[2:]}]


@pytest.fixture(autouse=True)
def deployment(monkeypatch: pytest.MonkeyPatch, table: Any, s3: Any) -> None:
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    monkeypatch.setattr(clients, "settings", make_settings)
    monkeypatch.setattr(clients, "ledger", lambda export: Ledger(table, export))
    monkeypatch.setattr(clients, "store", lambda: Store(s3, BUCKET))
    monkeypatch.setattr(clients, "glue", lambda: glue)


def reports(s3: Any) -> list[str]:
    found = s3.list_objects_v2(Bucket=BUCKET, Prefix="reports/").get("Contents", [])
    return [item["Key"] for item in found]


@pytest.mark.parametrize(("event", "running"), [(ENDED, 0), (DAILY, 3), ({}, 3)])
def test_the_report_is_written_when_no_run_is_left_and_whenever_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, s3: Any, event: dict[str, Any], running: int
) -> None:
    monkeypatch.setattr(clients, "step_functions", lambda: StepFunctions(running))
    answer = write_report.handler(event, None)
    assert reports(s3) == [answer["key"]]
    found = s3.get_object(Bucket=BUCKET, Key=answer["key"])
    assert found["ContentType"] == "text/html; charset=utf-8"
    text = found["Body"].read().decode()
    assert "10 of 10 exports need" in text
    assert "No sends are there that could be counted." in text


def test_the_end_of_a_run_writes_nothing_while_others_run(monkeypatch: pytest.MonkeyPatch, s3: Any) -> None:
    monkeypatch.setattr(clients, "step_functions", lambda: StepFunctions(3))
    assert write_report.handler(ENDED, None) == {"running": 3}
    assert reports(s3) == []


def test_without_an_answer_of_athena_the_report_is_written_and_says_why(
    monkeypatch: pytest.MonkeyPatch, s3: Any
) -> None:
    def refuse(_sql: str) -> None:
        raise athena.NotAnswered("Athena is away.")

    monkeypatch.setattr(athena, "ask", refuse)
    monkeypatch.setattr(write_report, "week_query", lambda *_: "SELECT 1")
    answer = write_report.handler(DAILY, None)
    text = s3.get_object(Bucket=BUCKET, Key=answer["key"])["Body"].read().decode()
    assert "What became of the sends is not known. Athena is away." in text
