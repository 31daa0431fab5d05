"""Run records: one small immutable object a run, queried as the table `export_runs`."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lambdas.lake.storage import keys
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog

# 3 continues the number that the table had before it got a version of its own; nothing in it has changed since 1.
SCHEMA_VERSION = 3
"""Of the table `export_runs`."""

_TIMES = ("scheduled_time", "ordered_at", "started_at", "ended_at", "earliest_event", "latest_event")
_NUMBERS = ("bytes", "days", "batches", "lost_orders")


def write_run_record(store: Store, catalog: Catalog, run_folder: str, record: Mapping[str, Any]) -> None:
    """Write a run's record, which `record_of` in `steps/close_run.py` makes; its names are the table's columns.

    Times are ISO 8601, UTC unless they have an offset.
    """
    columns = {name: _kind(name) for name in record}
    catalog.ensure_json_table(
        keys.RUNS_TABLE,
        description="What became of each run",
        columns=columns,
        prefix=keys.table_prefix(keys.RUNS_TABLE),
        schema_version=SCHEMA_VERSION,
    )
    line = {name: _timestamp(value) if name in _TIMES else value for name, value in record.items()}
    store.write(keys.run_record(run_folder), json.dumps(line).encode() + b"\n", "application/json")


def _kind(name: str) -> str:
    if name in _TIMES:
        return "timestamp"
    return "bigint" if name in _NUMBERS or name.startswith("rows_") else "string"


def _timestamp(text: str | None) -> str | None:
    """A time as Athena reads it from JSON: UTC, milliseconds. A text that is no time (typed by hand) becomes null."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"
