"""The layout of the bucket: every key of the functions is made here.

    raw/<type>/<day ordered>/<batch>/result          what the vendor sent, byte for byte
    raw/<type>/<day ordered>/<batch>/manifest.json   written last: the batch has landed
    curated/<type>/dt=<day>/<run>/part-….parquet     a day of an event table
    curated/<type>/<run>/part-….parquet              the whole of an entity table
    curated/_drafts/<type>/<run>.json                the shadow table that a rebuild fills beside the visible one
    curated/_drafts/<type>/<run>.days.json           the checkpoint of a load of several calls: its days merged so far
    curated/export_runs/<run>.json                   one record a run
    quarantine/<type>/<run>/rejected.ndjson          records that are not JSON objects
    athena-results/…                                 the results of Athena's queries
    reports/<day>.html                               the morning report of that day

Types are export types in lower case. Policies and lifecycle rules in `infra` are derived from these prefixes too.
"""

import re
from dataclasses import dataclass
from hashlib import sha256

from lambdas.vocabulary import ExportType

RAW = "raw/"
CURATED = "curated/"
QUARANTINE = "quarantine/"
QUERY_RESULTS = "athena-results/"
REPORTS = "reports/"
RUNS_TABLE = "export_runs"
MANIFEST = "manifest.json"
UNKNOWN_DAY = "unknown"
"""The partition of events without a valid time."""


@dataclass(frozen=True)
class RawKeys:
    """The two objects of one landed batch."""

    result: str
    manifest: str


def raw(export: ExportType, ordered_at: str, batch_id: str) -> RawKeys:
    """Where a batch lands; `ordered_at` is ISO 8601."""
    folder = f"{raw_prefix(export)}{ordered_at[:10]}/{batch_folder(batch_id)}"
    return RawKeys(f"{folder}/result", f"{folder}/{MANIFEST}")


def batch_folder(batch_id: str) -> str:
    """A batch's name in keys."""
    return batch_id if re.fullmatch(r"[A-Za-z0-9_-]{1,64}", batch_id) else sha256(batch_id.encode()).hexdigest()[:32]


def raw_prefix(export: ExportType) -> str:
    """All landed batches of an export type."""
    return f"{RAW}{export.table}/"


def table_prefix(table: str) -> str:
    """All files of a table."""
    return f"{CURATED}{table}/"


def day_prefix(export: ExportType, day: str, run_folder: str) -> str:
    """Where a run writes a day of an event table."""
    return f"{table_prefix(export.table)}dt={day}/{run_folder}/"


def entity_prefix(export: ExportType, run_folder: str) -> str:
    """Where a run writes an entity table."""
    return f"{table_prefix(export.table)}{run_folder}/"


def shadow_tables_prefix(export: ExportType) -> str:
    """The shadow tables and checkpoints of a table."""
    return f"{CURATED}_drafts/{export.table}/"


def shadow_table(export: ExportType, run_folder: str) -> str:
    """The document of a rebuild's shadow table."""
    return f"{shadow_tables_prefix(export)}{run_folder}.json"


def checkpoint(export: ExportType, run_folder: str) -> str:
    """The checkpoint of a load."""
    return f"{shadow_tables_prefix(export)}{run_folder}.days.json"


def run_record(run_folder: str) -> str:
    """The record of a run."""
    return f"{table_prefix(RUNS_TABLE)}{run_folder}.json"


def quarantine(export: ExportType, run_folder: str) -> str:
    """The records that a run rejected."""
    return f"{QUARANTINE}{export.table}/{run_folder}/rejected.ndjson"


def report(day: str) -> str:
    """The morning report of a day."""
    return f"{REPORTS}{day}.html"
