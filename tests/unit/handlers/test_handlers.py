"""The functions as the state machine calls them."""

import json
import logging
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import boto3
import pytest

from lambdas.execution import Execution, RunState
from lambdas.handlers import (
    check_batch,
    clients,
    close_run,
    copy_result,
    entrypoint,
    executions,
    plan_run,
    start_export,
    topic,
)
from lambdas.ledger.ledger import Ledger
from lambdas.steps.alert import Message, Place
from lambdas.symplify.client import Client
from lambdas.vocabulary import EXPORT_TYPES, Period
from tests.unit.fakes import BASE_URL, RESULT_URL, TOKEN, FakeHttp, make_settings

LAMBDA = SimpleNamespace(get_remaining_time_in_millis=lambda: 900_000)
EXECUTION = {"arn": "arn:aws:states:eu-west-1:1:execution:lake:run-a", "startedAt": "2026-11-24T03:30:00.123Z"}


def call(module: Any, state: object) -> dict[str, Any]:
    """Call a function, through JSON as the machine does."""
    event = json.loads(json.dumps({"execution": EXECUTION, "state": state}))
    answer: dict[str, Any] = json.loads(json.dumps(module.handler(event, LAMBDA)))
    return answer


@pytest.fixture(autouse=True)
def messages(monkeypatch: pytest.MonkeyPatch) -> list[Message]:
    """The messages that would be sent."""
    sent: list[Message] = []
    monkeypatch.setattr(topic, "publish", sent.append)
    monkeypatch.setattr(topic, "place", lambda: Place("lake", "arn:machine"))
    return sent


@pytest.fixture
def no_services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every collaborator fails when it is made."""

    def refuse(*args: Any) -> Any:
        raise AssertionError("A refused input must not reach any service.")

    for name in ("settings", "http", "symplify", "ledger", "s3", "s3_for_parts", "glue"):
        monkeypatch.setattr(clients, name, refuse)


@pytest.fixture
def services(monkeypatch: pytest.MonkeyPatch, table: Any, s3: Any, http: FakeHttp) -> FakeHttp:
    """Every collaborator of a step, in the process; the run starts now."""
    now = datetime.now(UTC).isoformat()
    monkeypatch.setitem(EXECUTION, "startedAt", now)
    monkeypatch.setattr(clients, "settings", make_settings)
    monkeypatch.setattr(clients, "http", lambda: http)
    monkeypatch.setattr(clients, "symplify", lambda: Client(http, BASE_URL, "4711", lambda: TOKEN))
    monkeypatch.setattr(clients, "ledger", lambda export: Ledger(table, export))
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    for name in ("s3", "s3_for_parts"):
        monkeypatch.setattr(clients, name, lambda: s3)
    monkeypatch.setattr(clients, "glue", lambda: glue)
    return http


# Invalid input


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"exportType": "SMS"}, [*EXPORT_TYPES]),
        ({"exportType": ""}, [*EXPORT_TYPES]),
        ({}, [*EXPORT_TYPES]),
        ({"exportType": 5}, ["exportType must be text"]),
        ({"exportType": "OPENS", "period": []}, ["period must be text"]),
        ({"exportType": "OPENS", "extra": 1}, ["'extra'"]),
        ({"exportType": "OPENS", "batchId": 7}, ["batchId must be text"]),
        ([], ["JSON object"]),
        ("OPENS", ["JSON object"]),
        (None, ["JSON object"]),
    ],
)
@pytest.mark.parametrize("module", [plan_run, start_export])
def test_bad_input_is_a_failed_outcome_before_any_call_is_made(
    no_services: None, module: Any, state: object, words: list[str]
) -> None:
    answer = call(module, state)

    assert (answer["outcome"], answer["errorName"]) == ("failed", "BadInput")
    assert all(word in answer["reason"] for word in words)


@pytest.mark.parametrize("state", [{"exportType": "SMS"}, {}, {"exportType": 5}, [], {"exportType": "x" * 100_000}])
def test_a_run_that_never_had_an_export_type_ends_with_its_first_reason(no_services: None, state: object) -> None:
    refused = call(plan_run, state)
    closed = call(close_run, refused)

    assert (closed["outcome"], closed["errorName"]) == ("failed", "BadInput")
    assert refused["reason"] in closed["reason"]
    assert len(json.dumps(closed)) < 2000


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"exportType": "OPENS", "period": "LAST_YEAR"}, [*Period]),
        ({"exportType": "opened", "batchId": "7"}, ["'batchId'", "exportType, period and scheduledTime"]),
        ({"exportType": "OPENS", "scheduledTime": "tonight"}, ["tonight"]),
        ({"exportType": "OPENS", "scheduledTime": "x" * 5000}, ["scheduledTime"]),
    ],
)
def test_a_refused_plan_ends_with_a_reason_and_touches_nothing_but_its_own_record(
    services: FakeHttp, table: Any, state: Mapping[str, Any], words: list[str]
) -> None:
    refused = call(plan_run, state)
    assert table.scan()["Items"] == []
    closed = call(close_run, refused)

    assert (refused["outcome"], closed["outcome"]) == ("failed", "failed")
    assert closed["errorName"] == "BadInput"
    assert all(word in closed["reason"] for word in words)
    assert "batchId" not in closed
    assert [item["sk"].split("#")[0] for item in table.scan()["Items"]] == ["run"]
    assert services.calls == []


@pytest.mark.parametrize("name", ["OPENED", "opened", " Opens "])
def test_another_spelling_of_a_type_is_planned_and_ordered_under_its_own_name(services: FakeHttp, name: str) -> None:
    services.answers(200, '{"batchId": 7}')

    state = call(start_export, call(plan_run, {"exportType": name}))

    assert (state["outcome"], state["exportType"], state["batchId"]) == ("ordered", "OPENS", "7")
    assert json.loads(services.calls[0].body or b"")["exportType"] == "OPENS"


# A complete run


def test_a_run_goes_from_its_input_to_a_landed_result(services: FakeHttp, s3: Any) -> None:
    state = call(plan_run, {"exportType": "OPENS", "scheduledTime": "2026-11-24T03:30:00Z"})
    assert (state["outcome"], state["period"]) == ("planned", "LAST_2_WEEKS")

    services.answers(429)
    state = call(start_export, state)
    assert state["outcome"] == "rate_limited"
    assert state["waitSeconds"] >= 60
    services.answers(200, '{"batchId": "7"}')
    state = call(start_export, state)
    assert (state["outcome"], state["waitSeconds"]) == ("ordered", 30)

    services.answers(200, '{"status": " PENDING", "processed": 0, "total": 9}')
    state = call(check_batch, state)
    assert (state["outcome"], state["waitSeconds"], state["progress"]) == ("running", 30, "0/9")
    services.answers(200, '{"status": "FINISHED"}')
    state = call(check_batch, state)
    assert (state["outcome"], state["polls"]) == ("finished", 2)

    services.answers(200, RESULT_URL).answers(200, b"[]")
    state = call(copy_result, state)
    assert (state["outcome"], state["bytes"]) == ("copied", 2)

    closed = call(close_run, {**state, "outcome": "loaded", "tally": {"read": 0}})
    assert closed["outcome"] == "succeeded"
    assert services.unused == 0
    written = json.dumps(closed)
    assert TOKEN not in written
    assert "s3cr3t" not in written


def test_a_run_that_waits_for_the_lease_plans_again_from_its_own_answer(
    services: FakeHttp, table: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(executions, "stopped_at", lambda arn: None)
    owner = Execution("arn:other", datetime.now(UTC))
    Ledger(table, EXPORT_TYPES["OPENS"]).take_lease(owner, datetime.now(UTC))

    busy = call(plan_run, {"exportType": "OPENS"})
    assert (busy["outcome"], busy["waitSeconds"]) == ("busy", 60)
    assert call(plan_run, busy) == busy

    Ledger(table, EXPORT_TYPES["OPENS"]).release_lease(owner)
    assert call(plan_run, busy)["outcome"] == "planned"


def test_a_failed_scheduled_run_may_be_started_again_with_the_same_input(services: FakeHttp) -> None:
    given = {"exportType": "OPENS", "scheduledTime": "2026-11-24T03:30:00Z"}
    planned = call(plan_run, given)
    closed = call(close_run, {**planned, "error": {"Error": "States.Timeout", "Cause": ""}})
    assert closed["outcome"] == "failed"

    event = {"execution": {**EXECUTION, "arn": EXECUTION["arn"] + "-again"}, "state": given}
    assert plan_run.handler(event, None)["outcome"] == "planned"


@pytest.mark.parametrize("state", [{"outcome": "dancing"}, {"outcome": "duplicate"}, {"outcome": "overdue"}, {}])
def test_closing_always_gives_the_machine_an_error_name_and_a_reason(
    services: FakeHttp, state: Mapping[str, Any]
) -> None:
    closed = call(close_run, {"exportType": "OPENS", **state})

    assert closed["outcome"] == "failed"
    assert closed["errorName"]
    assert closed["reason"]


# The entry point


def test_an_unforeseen_error_is_an_exception_and_no_outcome(monkeypatch: pytest.MonkeyPatch) -> None:
    def step(state: RunState, run: Any) -> RunState:
        raise RuntimeError("surprise")

    with pytest.raises(RuntimeError):
        entrypoint.run_step("plan_run", {"execution": EXECUTION, "state": {"exportType": "OPENS"}}, step)


@pytest.mark.parametrize("text", ["2026-11-24T03:30:00Z", "2026-11-24T03:30:00.000Z", "2026-11-24T05:30:00+02:00"])
def test_times_are_read_as_utc(text: str) -> None:
    assert entrypoint.parse_time(text) == datetime(2026, 11, 24, 3, 30, tzinfo=UTC)


@pytest.fixture
def log() -> Iterator[list[dict[str, Any]]]:
    """The lines of the log."""
    lines: list[dict[str, Any]] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(json.loads(entrypoint.logger.registered_formatter.format(record)))

    handler = Lines()
    entrypoint.logger.addHandler(handler)
    yield lines
    logging.getLogger(entrypoint.logger.name).removeHandler(handler)


def test_a_log_line_never_has_the_run_of_another_call(services: FakeHttp, log: list[dict[str, Any]]) -> None:
    call(plan_run, {"exportType": "OPENS"})
    call(plan_run, [])

    assert [(line["message"], line.get("export")) for line in log] == [
        ("started", None),
        ("planned", "OPENS"),
        ("started", None),
        ("failed", None),
    ]


def test_the_log_of_a_call_is_found_by_the_name_of_its_execution_even_if_it_crashes(log: list[dict[str, Any]]) -> None:
    name = "0cc175b9-c0f1-b6a8-31c3-99e269772661_92eb5ffe-e6ae-2fec-3ad7-1c777531578f"
    execution = {**EXECUTION, "arn": f"arn:aws:states:eu-west-1:1:execution:lake:{name}"}

    def step(state: RunState, run: Any) -> RunState:
        raise RuntimeError("surprise")

    with pytest.raises(RuntimeError):
        entrypoint.run_step("plan_run", {"execution": execution, "state": {"exportType": "OPENS"}}, step)

    assert [(line["message"], line["execution"]) for line in log] == [("started", name), ("crashed", name)]
    assert "surprise" in log[1]["exception"]
