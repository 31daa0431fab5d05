"""What the last step of a run does about the views."""

from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.handlers import clients, close_run, topic
from lambdas.ledger.history import Notifications
from lambdas.ledger.ledger import Ledger
from lambdas.steps.alert import Message, Place
from tests.unit.fakes import NOW, make_settings

LOADED = {
    "exportType": "OPENS",
    "outcome": "loaded",
    "period": "LAST_3_DAYS",
    "batchId": "7",
    "orderedAt": NOW.isoformat(timespec="microseconds"),
    "tally": {"read": 0},
}


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch, table: Any, s3: Any) -> list[Message]:
    """The messages that are sent by runs over an AWS in the process."""
    sent: list[Message] = []
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    monkeypatch.setattr(topic, "publish", sent.append)
    monkeypatch.setattr(topic, "place", lambda: Place("lake", "arn:machine"))
    monkeypatch.setattr(clients, "settings", make_settings)
    monkeypatch.setattr(clients, "ledger", lambda export: Ledger(table, export))
    monkeypatch.setattr(clients, "notifications", lambda: Notifications(table))
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "glue", lambda: glue)
    return sent


def close(run: str, state: dict[str, Any]) -> str:
    """Close a run; return its outcome."""
    arn = f"arn:aws:states:eu-west-1:1:execution:lake:{run}"
    given = {"execution": {"arn": arn, "startedAt": "2026-11-24T03:30:00.123Z"}, "state": state}
    outcome: str = close_run.handler(given, SimpleNamespace())["outcome"]
    return outcome


def names() -> set[str]:
    return {one["Name"] for one in clients.glue().get_tables(DatabaseName="lake")["TableList"]}


def test_a_run_that_succeeds_writes_the_views(messages: list[Message]) -> None:
    assert close("run-a", LOADED) == "succeeded"

    assert names() == {"export_runs", "data_freshness"}
    assert messages == []


def test_a_run_that_fails_writes_none(messages: list[Message]) -> None:
    assert close("run-a", {**LOADED, "outcome": "failed", "reason": "No."}) == "failed"

    assert names() == {"export_runs"}


def test_views_that_cannot_be_written_fail_no_run_and_are_reported_once_a_day(messages: list[Message]) -> None:
    clients.glue().create_table(DatabaseName="lake", TableInput={"Name": "data_freshness"})

    assert [close(run, LOADED) for run in ("run-a", "run-b")] == ["succeeded", "succeeded"]

    (message,) = messages
    assert message.subject == "lake: views not written"
    assert "data_freshness is not a view of this stack" in message.text
    assert "docs/operations.md#viewnotwritten" in message.text


def test_a_surprise_is_named_without_its_words(messages: list[Message], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("jane@example.com")

    monkeypatch.setattr(close_run, "renew_views", fail)

    assert close("run-a", LOADED) == "succeeded"
    assert "RuntimeError" in messages[0].text
    assert "jane" not in messages[0].text
