"""The watch as its rules call it: which executions it takes for unrecorded."""

from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients, topic, watch_runs
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.outcome import Outcome
from lambdas.steps.alert import Message, Place
from lambdas.steps.run_record import record_of
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import make_settings

ARN = "arn:aws:states:eu-west-1:123456789012:execution:lake:0cc175b9_92eb5ffe"
STOPPED = {"source": "aws.states", "detail": {"executionArn": ARN}}
DAILY = {"source": "aws.events"}
OTHERWISE = [timedelta(seconds=seconds) for seconds in (0, 1, -1, 0.999)]
STARTED = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)


class StepFunctions:
    """Step Functions with one execution, whose start it may state otherwise than to the execution itself."""

    def __init__(self, started_at: datetime, status: str) -> None:
        self._found = {
            "executionArn": ARN,
            "status": status,
            "startDate": started_at,
            "stopDate": started_at + timedelta(minutes=5),
            "input": '{"exportType": "OPENS"}',
        }

    def describe_execution(self, **_: Any) -> Any:
        return self._found

    def get_paginator(self, _name: str) -> Any:
        return self

    def paginate(self, statusFilter: str, **_: Any) -> Any:  # noqa: N803 - boto3's own name
        return [{"executions": [self._found] if self._found["status"] == statusFilter else []}]


@pytest.fixture
def opens(monkeypatch: pytest.MonkeyPatch, table: Any, s3: Any) -> Ledger:
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    monkeypatch.setattr(clients, "settings", make_settings)
    monkeypatch.setattr(clients, "ledger", lambda export: Ledger(table, export))
    monkeypatch.setattr(clients, "s3", lambda: s3)
    monkeypatch.setattr(clients, "glue", lambda: glue)
    monkeypatch.setattr(topic, "place", lambda: Place("lake", "arn:machine"))
    return Ledger(table, EXPORT_TYPES["OPENS"])


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    sent: list[Message] = []
    monkeypatch.setattr(topic, "publish", sent.append)
    return sent


@pytest.mark.parametrize("event", [STOPPED, DAILY])
@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_an_execution_that_closed_itself_is_not_closed_again_whatever_start_step_functions_states(
    opens: Ledger,
    messages: list[Message],
    monkeypatch: pytest.MonkeyPatch,
    event: dict[str, Any],
    otherwise: timedelta,
) -> None:
    run = Execution(ARN, STARTED)
    opens.write_run(run, record_of(RunState("OPENS", outcome=Outcome.FAILED), run, STARTED))
    monkeypatch.setattr(clients, "step_functions", lambda: StepFunctions(STARTED + otherwise, "FAILED"))

    assert watch_runs.handler(event, None)["closed"] == []
    assert messages == []
    assert len(opens.runs(STARTED - timedelta(hours=1))) == 1


@pytest.mark.parametrize("event", [STOPPED, DAILY])
@pytest.mark.parametrize("otherwise", OTHERWISE)
def test_an_execution_that_was_stopped_is_closed_with_its_order_whatever_start_step_functions_states(
    opens: Ledger,
    messages: list[Message],
    monkeypatch: pytest.MonkeyPatch,
    event: dict[str, Any],
    otherwise: timedelta,
) -> None:
    ordered_at = STARTED.isoformat(timespec="microseconds")
    opens.write_order(Execution(ARN + "-other", STARTED), Order(ordered_at, 0, "6", ordered_at), "LAST_DAY")
    opens.write_order(Execution(ARN, STARTED), Order(ordered_at, 0, "7", ordered_at), "LAST_DAY")
    monkeypatch.setattr(clients, "step_functions", lambda: StepFunctions(STARTED + otherwise, "ABORTED"))

    assert watch_runs.handler(event, None)["closed"] == [ARN]
    assert [(run["batch_id"], run["error"]) for run in opens.runs(STARTED - timedelta(hours=1))] == [("7", "ABORTED")]
    assert len(messages) == 1
    assert watch_runs.handler(event, None)["closed"] == []
