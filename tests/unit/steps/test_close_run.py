"""Closing a run that succeeded: its record and the watermark."""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import boto3
import pytest

from lambdas.execution import RunState
from lambdas.lake.storage.landing import Landing
from lambdas.lake.storage.store import NotDeleted, Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import LOADED, Order
from lambdas.outcome import Outcome
from lambdas.steps import close_run as module
from lambdas.steps.close_run import CloseDependencies, close_run
from tests.unit.fakes import BUCKET, NOW, ago, make_settings
from tests.unit.steps.closing import LOADED_STATE, RUN, TIME, OpenRun


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


def test_a_run_is_closed_although_s3_does_not_delete_what_nothing_points_to(
    opened: OpenRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise NotDeleted("S3 did not delete 1 of 1 objects.")

    monkeypatch.setattr(module, "vacuum", refuse)

    assert opened.close(LOADED_STATE).outcome == "succeeded"
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
