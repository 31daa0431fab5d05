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

COLUMNS: Mapping[str, tuple[str, str]] = {
    "run": ("string", "The run: one execution of the state machine, for one export type"),
    "execution_arn": ("string", "The ARN of that execution in Step Functions"),
    "export_type": ("string", "What was exported: OPENS, LISTS, …"),
    "period": ("string", "What span Symplify was asked for, counted back from the order: LAST_3_DAYS, …"),
    "scheduled_time": ("timestamp", "The time that the rule fired for, in UTC; null for a run that a person started"),
    "batch_id": ("string", "The batch: Symplify's job, whose result is one file"),
    "ordered_at": ("timestamp", "When that batch was ordered, in UTC"),
    "lost_orders": ("bigint", "Orders without an answer: each may have left a batch in Symplify that nobody fetches"),
    "progress": ("string", "Symplify's own counts of the batch, as it last told them"),
    "started_at": ("timestamp", "When the run started, in UTC"),
    "ended_at": ("timestamp", "When the run ended, in UTC"),
    "outcome": ("string", "succeeded, replayed, or how it failed: failed, undecided, …"),
    "replay": ("string", "JSON of what a replay was asked for; null for other runs"),
    "error": ("string", "The error's name, where one is known"),
    "reason": ("string", "Why it failed and what to do, as a sentence"),
    "unreachable_days": ("string", "Days since the last success that no period of Symplify reaches any more"),
    "bytes": ("bigint", "The size of the result, in bytes"),
    "rows_read": ("bigint", "Records in the result"),
    "rows_new": ("bigint", "Rows that the table did not have"),
    "rows_known": ("bigint", "Rows that the table had, the same or from an export that outranks this one"),
    "rows_updated": ("bigint", "Rows that the table had with other values, which this export's replaced"),
    "rows_rescued": ("bigint", "Rows with a value that fits no column: it stands in _rescued"),
    "rows_quarantined": ("bigint", "Records that are no JSON objects: they are kept under quarantine/"),
    "rows_unknown_time": ("bigint", "Events without a usable time: they stand in dt='unknown'"),
    "rows_shared": ("bigint", "Identities that export and table both have, where they cover the same time"),
    "rows_missing": ("bigint", "Rows that the table alone has, where they cover the same time"),
    "rows_replaced": ("bigint", "Rows that vanished while as many others appeared, where they cover the same time"),
    "rows_recounted": ("bigint", "Identities with more or fewer rows than the table has of them"),
    "batches": ("bigint", "Batches that a replay merged; null for other runs"),
    "days": ("bigint", "Days of the table that the export has rows of"),
    "per_day": ("string", "JSON of rows read, new and updated, by day"),
    "earliest_event": ("timestamp", "The earliest event of the export, in UTC"),
    "latest_event": ("timestamp", "The latest event of the export, in UTC"),
    "profile": ("string", "What the table takes the fields for, where this run decided it"),
    "new_columns": ("string", "The columns that this run added, separated by commas"),
}
"""The columns, in their order, with their types and comments; `record_of` in `steps/run_record.py` gives the values."""


def write_run_record(store: Store, catalog: Catalog, run_folder: str, record: Mapping[str, Any]) -> None:
    """Write a run's record: a value or None for each of `COLUMNS`. Times are ISO 8601, UTC unless they have an offset.

    Raises:
        KeyError: the record has a name that is no column.
    """
    line = {name: _timestamp(value) if COLUMNS[name][0] == "timestamp" else value for name, value in record.items()}
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
