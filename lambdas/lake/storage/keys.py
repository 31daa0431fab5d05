"""Where things lie in the bucket: the one place that knows the layout.

    raw/<type>/<day ordered>/<batch>/result          what the vendor sent, byte for byte
    raw/<type>/<day ordered>/<batch>/manifest.json   written last: the batch has landed
    curated/<type>/dt=<day>/<run>/part-….parquet     a day of an event table
    curated/<type>/<run>/part-….parquet              the whole of an entity table
    curated/_drafts/<type>/<run>.json                a table that a rebuild makes beside the one that readers see
    curated/_drafts/<type>/<run>.days.json           the days that a load has merged, which takes more than one call
    curated/export_runs/<run>.json                   one small object a run
    quarantine/<type>/<run>/rejected.ndjson          records that are no JSON objects
    athena-results/…                                 what Athena answers to queries

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
RUNS_TABLE = "export_runs"
MANIFEST = "manifest.json"
UNKNOWN_DAY = "unknown"
"""The partition of events without a usable time."""


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
    """All that landed of an export type."""
    return f"{RAW}{export.table}/"


def table_prefix(table: str) -> str:
    """All files of a table."""
    return f"{CURATED}{table}/"


def day_prefix(export: ExportType, day: str, run_folder: str) -> str:
    """Where a run puts a day of an event table."""
    return f"{table_prefix(export.table)}dt={day}/{run_folder}/"


def entity_prefix(export: ExportType, run_folder: str) -> str:
    """Where a run puts an entity table."""
    return f"{table_prefix(export.table)}{run_folder}/"


def drafts_prefix(export: ExportType) -> str:
    """The drafts of a table."""
    return f"{CURATED}_drafts/{export.table}/"


def draft(export: ExportType, run_folder: str) -> str:
    """What a rebuild has made so far."""
    return f"{drafts_prefix(export)}{run_folder}.json"


def progress(export: ExportType, run_folder: str) -> str:
    """What a load has merged so far."""
    return f"{drafts_prefix(export)}{run_folder}.days.json"


def run_record(run_folder: str) -> str:
    """The object that tells what became of a run."""
    return f"{table_prefix(RUNS_TABLE)}{run_folder}.json"


def quarantine(export: ExportType, run_folder: str) -> str:
    """The records that a run could not read."""
    return f"{QUARANTINE}{export.table}/{run_folder}/rejected.ndjson"
