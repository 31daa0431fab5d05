"""Check an export before its merge, and judge it by its overlap with the table, before anything is published."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import duckdb

from lambdas.lake.engine import parquet
from lambdas.lake.errors import Contradiction, Undecided, Unloadable
from lambdas.lake.parsing.stager import Staged
from lambdas.lake.profile.audit import SETTLING_RECORDS, TELLING_RECORDS, Counts, Export, Finding, History, audit
from lambdas.lake.rows import spans
from lambdas.lake.rows.doubled import is_doubled, may_be_doubled
from lambdas.lake.rows.merge import Merge
from lambdas.lake.rows.staging import Rows
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import Table
from lambdas.settings import Settings
from lambdas.steps.table_checks import check_resolution, check_unknown_times, window_of


def prepared(
    engine: duckdb.DuckDBPyConnection,
    rows: Rows,
    table: Table | None,
    staged: Staged,
    *,
    manifest: Manifest,
    settings: Settings,
    is_alone: bool,
    newest_days: Iterable[Sequence[Path]],
) -> tuple[Export, Merge]:
    """Check staged rows, and return what the audit is to judge and their merge, which takes the staged files.

    `is_alone` where there is neither a table nor another export that tells; `newest_days` are the table's files
    of each day, the newest first, each there while it is looked at.

    Raises:
        Contradiction: every row stands twice, and not in the table.
        Undecided: they are no beginning of a table.
        Unloadable: they cannot be merged.
    """
    is_first = table is None
    check_unknown_times(staged.unknown_times, staged.rows, rows.profile, settings, rows.export, is_first=is_first)
    export = _to_audit(engine, rows, table, staged, manifest)
    check_resolution(export, rows, settings, is_first=is_first)
    merge = Merge(engine, rows, staged.sorted_files, table.history.shared(export.span) if table is not None else ())
    merge.check_key()
    if (is_alone or table is not None) and _is_doubled(engine, rows, staged):
        if table is None:
            raise Undecided(_doubled_first(rows))
        if not may_be_doubled(engine, map(merge.stored, newest_days), rows):
            finding = Finding("every record stands in it twice or more, and in the table once", is_inflated=True)
            raise Contradiction(_sentence(rows, finding), is_inflated=True)
    return export, merge


def _is_doubled(engine: duckdb.DuckDBPyConnection, rows: Rows, staged: Staged) -> bool:
    """Whether all records of an export stand several times; of those with a key of their own, one counts anyway."""
    if not rows.profile.has_days or rows.profile.is_key or staged.rows < TELLING_RECORDS:
        return False
    # The day with the fewest rows tells most exports.
    days = sorted(staged.sorted_files.values(), key=lambda files: sum(file.rows for file in files))
    return is_doubled(engine, (parquet([file.path for file in files]) for files in days), rows)


def _doubled_first(rows: Rows) -> str:
    return (
        f"Every record of {rows.export.name} stands in this export twice or more, as if its file were doubled, and "
        "there is no other export to compare it with. The next one decides; nothing has to be done."
    )


def _to_audit(
    engine: duckdb.DuckDBPyConnection, rows: Rows, table: Table | None, staged: Staged, manifest: Manifest
) -> Export:
    window = window_of(manifest)
    return Export(
        span=spans.span_of(engine, staged.files, window) if rows.profile.has_days else None,
        window=(window.named.start, window.named.end) if window is not None else None,
        rows=staged.rows,
        gone=spans.gone(engine, staged.files, rows) if table is not None else (),
    )


def audited(rows: Rows, table: Table | None, export: Export, overlap: Counts) -> Table:
    """Return the table as it will be, with what the audit learned; its location is the former one.

    Raises:
        Contradiction: the export and the table disagree.
        Unloadable: an earlier export did, and this one does not show that it has passed.
    """
    history = table.history if table is not None else History()
    finding = audit(history, export, overlap)
    if finding.contradiction is not None:
        raise Contradiction(_sentence(rows, finding), is_inflated=finding.is_inflated)
    is_repeat = export.span is not None and export.span == history.newest
    confirms = finding.is_evidence and not is_repeat
    if history.blocked is not None and not confirms:
        raise Unloadable(
            f"The table {rows.export.table} is blocked since an export contradicted it: {history.blocked} This export "
            "shares no time with the table, so it cannot show which of them is right. Look at both with the command "
            "profile, then rebuild with replay --rebuild --reprofile, or --except the batch that is wrong."
        )
    # Entities show in two exports that agree whether a key is one.
    is_enough = not rows.profile.has_days or history.records + export.rows >= SETTLING_RECORDS
    return Table(
        schema=rows.schema,
        profile=replace(rows.profile, is_settled=rows.profile.is_settled or (confirms and is_enough)),
        time_zone=rows.time_zone,
        location=table.location if table is not None else "",
        history=history.after(export, overlap),
        left_out=table.left_out if table is not None else (),
    )


def _sentence(rows: Rows, finding: Finding) -> str:
    profile = rows.profile
    taken = f"identifies them by {' with '.join(profile.identity) or 'all of their fields'}"
    if profile.has_days:
        taken = f"takes {' or '.join(profile.times)} for their time and {taken}"
    if finding.is_inflated:
        todo = "Nothing of it was published, and it is left out of the table; order the export again."
    else:
        todo = (
            "Nothing was published, and nothing is merged until this is resolved. If the vendor has changed its "
            "records, rebuild with replay --rebuild --reprofile; if only this batch is wrong, with replay --rebuild "
            "--except."
        )
    return f"This export contradicts the table {rows.export.table}: {finding.contradiction}. The table {taken}. {todo}"
