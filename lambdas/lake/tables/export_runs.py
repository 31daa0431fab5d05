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

COLUMNS: Mapping[str, str] = {
    "run": "string",
    "execution_arn": "string",
    "export_type": "string",
    "period": "string",
    "scheduled_time": "timestamp",
    "batch_id": "string",
    "ordered_at": "timestamp",
    "lost_orders": "bigint",
    "progress": "string",
    "started_at": "timestamp",
    "ended_at": "timestamp",
    "outcome": "string",
    "replay": "string",
    "error": "string",
    "reason": "string",
    "unreachable_days": "string",
    "bytes": "bigint",
    "rows_read": "bigint",
    "rows_new": "bigint",
    "rows_known": "bigint",
    "rows_updated": "bigint",
    "rows_rescued": "bigint",
    "rows_quarantined": "bigint",
    "rows_unknown_time": "bigint",
    "rows_shared": "bigint",
    "rows_missing": "bigint",
    "rows_replaced": "bigint",
    "rows_recounted": "bigint",
    "batches": "bigint",
    "days": "bigint",
    "per_day": "string",
    "earliest_event": "timestamp",
    "latest_event": "timestamp",
    "profile": "string",
    "new_columns": "string",
}
"""The columns and their types, in their order; `record_of` in `steps/run_record.py` gives their values."""


def write_run_record(store: Store, catalog: Catalog, run_folder: str, record: Mapping[str, Any]) -> None:
    """Write a run's record: a value or None for each of `COLUMNS`. Times are ISO 8601, UTC unless they have an offset.

    Raises:
        KeyError: the record has a name that is no column.
    """
    line = {name: _timestamp(value) if COLUMNS[name] == "timestamp" else value for name, value in record.items()}
    catalog.ensure_json_table(
        keys.RUNS_TABLE,
        description="What became of each run",
        columns=COLUMNS,
        prefix=keys.table_prefix(keys.RUNS_TABLE),
        schema_version=SCHEMA_VERSION,
    )
    store.write(keys.run_record(run_folder), json.dumps(line).encode() + b"\n", "application/json")


def _timestamp(text: str | None) -> str | None:
    """A time as Athena reads it from JSON: UTC, milliseconds. A text that is no time (typed by hand) becomes null."""
    try:
        moment = datetime.fromisoformat(text or "")
    except ValueError:
        return None
    moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{moment.microsecond // 1000:03}"
