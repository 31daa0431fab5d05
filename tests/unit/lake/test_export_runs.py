"""Run records as Athena reads them."""

import json
from typing import Any

import pytest

from lambdas.execution import RunState
from lambdas.lake.tables.export_runs import write_run_record
from lambdas.steps.run_record import record_of
from tests.unit.fakes import make_run


class FakeStoreAndCatalog:
    """Keeps what is written."""

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}
        self.body = b""

    def ensure_json_table(self, _table: str, *, columns: dict[str, str], **_: Any) -> None:
        self.columns = columns

    def write(self, _key: str, body: bytes, _kind: str) -> None:
        self.body = body


def write(**record: Any) -> tuple[dict[str, str], dict[str, Any]]:
    fake: Any = FakeStoreAndCatalog()
    write_run_record(fake, fake, "run", record)
    return fake.columns, json.loads(fake.body)


def test_times_are_utc_timestamps_to_the_millisecond() -> None:
    _, line = write(
        scheduled_time="2026-11-24T03:30:00Z",
        ordered_at="2026-11-24T05:30:00.123456+02:00",
        earliest_event="2026-11-23 00:00:01.5",
    )
    assert list(line.values()) == ["2026-11-24 03:30:00.000", "2026-11-24 03:30:00.123", "2026-11-23 00:00:01.500"]


def test_unknown_values_and_invalid_times_are_null_in_an_existing_column() -> None:
    _, line = write(latest_event=None, scheduled_time="tonight", rows_read=None, reason=None)
    assert line == {"latest_event": None, "scheduled_time": None, "rows_read": None, "reason": None}


def test_a_record_has_a_value_or_none_for_every_column_in_their_order() -> None:
    run = make_run()
    record = record_of(RunState(export_type="OPENS"), run, run.started_at)
    columns, line = write(**record)
    assert list(line) == list(columns)


def test_a_name_that_is_no_column_is_refused() -> None:
    with pytest.raises(KeyError, match="rows_of_nothing"):
        write(rows_of_nothing=1)
