"""Closing a run, whatever its state."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from lambdas.execution import RunState
from lambdas.lake.storage.landing import Landing
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, LOADED, Order
from lambdas.outcome import Outcome
from lambdas.steps import close_run as module
from lambdas.steps.close_run import CloseDependencies, close_run, close_unknown
from lambdas.vocabulary import ExportType, UnknownName
from tests.unit.fakes import BUCKET, NOW, Crash, Failing, ago, make_run, make_settings

RUN = make_run()
TIME = "2026-11-24T03:30:00Z"
LOADED_STATE = RunState(
    export_type="OPENS",
    scheduled_time=TIME,
    period="LAST_3_DAYS",
    outcome=Outcome.LOADED,
    batch_id="7",
    ordered_at=NOW.isoformat(timespec="microseconds"),
    bytes=120,
    rows=5,
    tally={
        "read": 5,
        "new": 3,
        "known": 1,
        "updated": 1,
        "rescued": 0,
        "quarantined": 0,
        "unknownTime": 0,
        "earliest": "2026-11-22 01:00:00",
        "latest": None,
        "newColumns": ["a", "b"],
        "dayCount": 1,
        "days": {"2026-11-23": {"read": 5, "new": 3, "updated": 1}},
    },
)
CRASHED = {"Error": "Broken", "Cause": json.dumps({"errorMessage": "The transfer broke.", "stackTrace": ["line 1"]})}


class OpenRun:
    """A run with a claim and the lease, and what closing it does besides the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.records: list[dict[str, Any]] = []
        self.vacuumed = 0
        store: Any = None
        catalog: Any = None
        landing: Any = self
        self.aborted: list[str] = []
        self.dependencies = CloseDependencies(ledger, store, catalog, landing)
        ledger.claim(TIME, RUN, NOW)
        ledger.take_lease(RUN, NOW)

    def abort_all(self, export: ExportType) -> None:
        self.aborted.append(export.name)

    def order(self, status: str | None = None) -> None:
        ordered_at = NOW.isoformat(timespec="microseconds")
        self.ledger.write_order(RUN, Order(ordered_at, 0, "7", ordered_at), "LAST_3_DAYS")
        if status:
            self.ledger.mark_batch("7", status)

    def close(self, state: RunState, ledger: Any = None, **settings: Any) -> RunState:
        dependencies = replace(self.dependencies, ledger=ledger or self.ledger)
        return close_run(state, RUN, dependencies, settings=make_settings(**settings), now=NOW + timedelta(hours=1))

    @property
    def unloaded(self) -> list[str]:
        return [batch.batch_id for batch in self.ledger.unloaded_batches()]

    @property
    def may_start_again(self) -> bool:
        """Whether another execution gets the same scheduled time."""
        return self.ledger.claim(TIME, make_run("run-b"), NOW)


@pytest.fixture
def opened(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> OpenRun:
    made = OpenRun(ledger)

    def write(store: Any, catalog: Any, folder: str, record: Any) -> None:
        assert folder == record["run"]
        made.records.append(dict(record))

    def vacuum(*args: Any, **named: Any) -> int:
        made.vacuumed += 1
        return 0

    monkeypatch.setattr(module, "write_run_record", write)
    monkeypatch.setattr(module, "vacuum", vacuum)
    return made


# Success


def test_a_loaded_run_succeeds_and_releases_the_lease(opened: OpenRun) -> None:
    opened.order(LOADED)

    state = opened.close(LOADED_STATE)

    assert (state.outcome, state.reason, state.error_name, state.wait_seconds) == ("succeeded", None, None, None)
    assert opened.ledger.lease() is None
    assert opened.vacuumed == 1
    assert not opened.may_start_again


def test_the_run_record_has_all_numbers_of_the_run(opened: OpenRun, table: Any) -> None:
    opened.order(LOADED)
    opened.close(LOADED_STATE)

    (record,) = opened.records
    assert {name: value for name, value in record.items() if value is not None} == {
        "run": RUN.folder,
        "execution_arn": RUN.arn,
        "export_type": "OPENS",
        "period": "LAST_3_DAYS",
        "scheduled_time": TIME,
        "batch_id": "7",
        "ordered_at": "2026-11-24T03:30:00.000000+00:00",
        "started_at": "2026-11-24T03:30:00+00:00",
        "ended_at": "2026-11-24T04:30:00+00:00",
        "outcome": "succeeded",
        "bytes": 120,
        "rows_read": 5,
        "rows_new": 3,
        "rows_known": 1,
        "rows_updated": 1,
        "rows_rescued": 0,
        "rows_quarantined": 0,
        "rows_unknown_time": 0,
        "days": 1,
        "per_day": '{"2026-11-23": {"read": 5, "new": 3, "updated": 1}}',
        "earliest_event": "2026-11-22 01:00:00",
        "new_columns": "a,b",
    }
    kept = table.get_item(Key={"pk": "OPENS", "sk": f"run#{RUN.folder}"})["Item"]
    assert {name: kept[name] for name in record if record[name] is not None} == {
        name: value for name, value in record.items() if value is not None
    }


def test_a_replay_is_recorded_as_one_and_moves_no_watermark(opened: OpenRun) -> None:
    tally = {"read": 9, "new": 0, "known": 9, "batches": 3, "earliest": None, "latest": None}
    asked = {"from": "2026-11-01"}
    state = opened.close(
        RunState(export_type="OPENS", outcome=Outcome.LOADED, replay=asked, cursor="raw/x", tally=tally)
    )

    assert state.outcome == "succeeded"
    (record,) = opened.records
    written = (record["outcome"], record["batches"], record["rows_read"], json.loads(record["replay"]))
    assert written == ("replayed", 3, 9, asked)
    assert opened.ledger.watermark() is None
    assert opened.ledger.lease() is None


def test_the_run_record_is_written_to_the_lake(ledger: Ledger, s3: Any) -> None:
    glue = boto3.client("glue")
    glue.create_database(DatabaseInput={"Name": "lake"})
    dependencies = CloseDependencies(ledger, Store(s3, BUCKET), Catalog(glue, "lake", BUCKET), Landing(s3, BUCKET))

    close_run(
        replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No."),
        RUN,
        dependencies,
        settings=make_settings(),
        now=NOW,
    )

    body = s3.get_object(Bucket=BUCKET, Key=f"curated/export_runs/{RUN.folder}.json")["Body"].read()
    assert json.loads(body)["outcome"] == "failed"


@pytest.mark.parametrize(
    ("period", "before", "moves"),
    [
        ("LAST_2_WEEKS", None, True),
        ("LAST_3_DAYS", None, False),
        ("TODAY", None, False),
        ("LAST_3_DAYS", ago(days=1), True),
        ("LAST_3_DAYS", ago(days=2), True),
        ("LAST_3_DAYS", ago(days=3), False),
        ("LAST_2_WEEKS", ago(days=30), True),
        ("TODAY", ago(hours=1), False),
        ("LAST_DAY", ago(days=1), False),
    ],
)
def test_the_watermark_moves_to_the_order_time_when_no_gap_is_left(
    opened: OpenRun, period: str, before: datetime | None, moves: bool
) -> None:
    if before:
        opened.ledger.move_watermark(before.isoformat(timespec="microseconds"), "1")

    opened.close(replace(LOADED_STATE, period=period))

    assert opened.ledger.watermark() == (NOW if moves else before)


def test_an_older_batch_never_moves_the_watermark_back(opened: OpenRun) -> None:
    newer = NOW + timedelta(days=1)
    opened.ledger.move_watermark(newer.isoformat(timespec="microseconds"), "9")

    opened.close(replace(LOADED_STATE, period="LAST_2_WEEKS"))

    assert opened.ledger.watermark() == newer


# Failure


def test_a_failed_run_frees_the_lease_and_its_scheduled_time(opened: OpenRun) -> None:
    opened.order()

    state = opened.close(replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No."))

    assert state.outcome == "failed"
    assert opened.ledger.lease() is None
    assert opened.ledger.watermark() is None
    assert opened.may_start_again
    assert opened.records[0]["reason"] == state.reason


def test_a_final_failure_makes_the_batch_dead(opened: OpenRun) -> None:
    opened.order()

    opened.close(replace(LOADED_STATE, outcome=Outcome.FAILED, reason="Symplify says that the batch has failed."))

    assert opened.unloaded == []


@pytest.mark.parametrize(
    "state",
    [
        replace(LOADED_STATE, outcome=Outcome.OVERDUE, reason="Too late."),
        replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No.", error_name="BadToken"),
        replace(LOADED_STATE, outcome=Outcome.FINISHED, error=CRASHED),
        replace(LOADED_STATE, outcome=Outcome("something else")),
    ],
)
def test_a_failure_that_may_pass_leaves_the_batch_to_the_next_run_once(opened: OpenRun, state: RunState) -> None:
    opened.order()

    opened.close(state)
    opened.close(state)
    assert opened.unloaded == ["7"]

    second = make_run("run-b")
    opened.ledger.adopt(opened.ledger.unloaded_batches()[0], second)
    opened.ledger.mark_batch_failed("7", second, final=False)
    assert opened.unloaded == []


def test_a_batch_that_is_missing_in_the_state_is_found_in_the_ledger(opened: OpenRun) -> None:
    opened.order()
    crashed = RunState(export_type="OPENS", period="LAST_3_DAYS", outcome=Outcome.PLANNED, error=CRASHED)

    state = opened.close(crashed)

    assert state.batch_id == "7"
    assert "batch 7" in (state.reason or "")
    assert opened.unloaded == ["7"]


def test_an_intent_without_an_answer_is_reported(opened: OpenRun) -> None:
    opened.ledger.write_intent(RUN, "2026-11-24T03:30:00.000000+00:00", 0, opened.ledger.order(RUN))

    state = opened.close(RunState(export_type="OPENS", period="LAST_3_DAYS", outcome=Outcome.PLANNED, error=CRASHED))

    assert "a batch may be waiting in Symplify" in (state.reason or "")


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (RunState(export_type="OPENS"), "UnknownOutcome"),
        (RunState(export_type="OPENS", outcome=Outcome.LOADED, error=CRASHED), "Broken"),
        (RunState(export_type="OPENS", outcome=Outcome.DUPLICATE), "DuplicateRun"),
        (RunState(export_type="OPENS", outcome=Outcome.OVERDUE), "RunOverdue"),
        (RunState(export_type="OPENS", outcome=Outcome.BUSY, wait_seconds=60), "UnknownOutcome"),
        (RunState(export_type="opened", outcome=Outcome.FAILED, error_name="BadInput", reason="No."), "BadInput"),
        (RunState(export_type="OPENS", outcome=Outcome.FAILED), "ExportFailed"),
        (RunState(export_type="OPENS", outcome=Outcome.PLANNED, error={}), "Error"),
        (
            RunState(export_type="OPENS", outcome=Outcome.FAILED, tally={"days": None, "newColumns": None}),
            "ExportFailed",
        ),
    ],
)
def test_a_state_without_a_batch_closes_with_a_name_and_a_sentence(opened: OpenRun, state: RunState, name: str) -> None:
    closed = opened.close(state)

    assert (closed.outcome, closed.error_name, closed.error) == ("failed", name, None)
    assert closed.reason
    assert opened.records[0]["export_type"] == "OPENS"
    assert opened.ledger.lease() is None


def test_a_loaded_state_without_a_batch_still_closes(opened: OpenRun) -> None:
    assert opened.close(RunState(export_type="OPENS", outcome=Outcome.LOADED)).outcome == "succeeded"


def test_a_run_without_the_lease_leaves_it_and_the_files_alone(opened: OpenRun) -> None:
    other = make_run("run-b")
    opened.ledger.release_lease(RUN)
    opened.ledger.take_lease(other, NOW)

    opened.close(RunState(export_type="OPENS", outcome=Outcome.DUPLICATE, scheduled_time="2026-11-23T03:30:00Z"))

    lease = opened.ledger.lease()
    assert lease is not None
    assert lease.owner == other.arn
    assert opened.vacuumed == 0


def test_a_duplicate_leaves_the_first_runs_claim(opened: OpenRun) -> None:
    other = make_run("run-b")

    close_run(
        RunState(export_type="OPENS", outcome=Outcome.DUPLICATE, scheduled_time=TIME),
        other,
        opened.dependencies,
        settings=make_settings(),
        now=NOW,
    )

    assert not opened.may_start_again


def test_a_run_without_an_export_type_closes_without_a_ledger() -> None:
    state = RunState(export_type="5", outcome=Outcome.FAILED, error_name="BadInput", reason="exportType must be text.")

    closed = close_unknown(state)

    assert (closed.outcome, closed.error_name) == ("failed", "BadInput")
    assert closed.reason == "5: exportType must be text."


def test_closing_with_a_ledger_needs_an_export_type(opened: OpenRun) -> None:
    with pytest.raises(UnknownName):
        opened.close(RunState(export_type="SMS"))


@pytest.mark.parametrize("state", [LOADED_STATE, replace(LOADED_STATE, outcome=Outcome.OVERDUE, reason="Too late.")])
@pytest.mark.parametrize("after", [False, True])
def test_closing_again_completes_after_a_crash_at_any_ledger_call(
    opened: OpenRun, state: RunState, after: bool
) -> None:
    counted = Failing(opened.ledger)
    opened.order(LOADED if state.outcome == "loaded" else COPIED)
    expected = opened.close(state, counted)
    for at in range(1, counted.count + 1):
        opened.ledger.take_lease(RUN, NOW)
        with pytest.raises(Crash):
            opened.close(state, Failing(opened.ledger, at, after=after))

        assert opened.close(state) == expected
        assert opened.ledger.lease() is None
    if state.outcome == "overdue":
        assert opened.ledger.unloaded_batches()[0].failures == 1


@pytest.mark.parametrize("state", [LOADED_STATE, replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No.")])
def test_uploads_that_a_copy_left_open_are_aborted_with_the_run(opened: OpenRun, state: RunState) -> None:
    opened.close(state)

    assert opened.aborted == ["OPENS"]


def test_a_run_without_the_lease_does_not_abort_the_uploads_of_its_owner(opened: OpenRun) -> None:
    opened.ledger.release_lease(RUN)
    opened.ledger.take_lease(make_run("run-b"), NOW)

    opened.close(replace(LOADED_STATE, outcome=Outcome.OVERDUE))

    assert opened.aborted == []


@pytest.mark.parametrize(
    ("lost", "has_batch", "recorded"), [(0, True, None), (1, True, 1), (0, False, 1), (1, False, 2)]
)
def test_the_run_record_has_lost_orders_and_the_batchs_progress(
    opened: OpenRun, lost: int, has_batch: bool, recorded: int | None
) -> None:
    at = NOW.isoformat(timespec="microseconds")
    opened.ledger.write_intent(RUN, at, lost, opened.ledger.order(RUN))
    if has_batch:
        opened.ledger.write_order(RUN, Order(at, lost, "7", at), "LAST_3_DAYS")

    opened.close(replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No.", progress="3/10"))

    (record,) = opened.records
    assert (record["lost_orders"], record["progress"]) == (recorded, "3/10")
