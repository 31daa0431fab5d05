"""Judge a merged export by its overlap with the table, before anything is published."""

from dataclasses import replace

import duckdb

from lambdas.lake.errors import Contradiction, Unloadable
from lambdas.lake.parsing.stager import Staged
from lambdas.lake.profile.audit import SETTLING_RECORDS, Counts, Export, Finding, History, audit
from lambdas.lake.rows import spans
from lambdas.lake.rows.staging import Rows
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import Table
from lambdas.steps.table_checks import window_of


def to_audit(
    engine: duckdb.DuckDBPyConnection, rows: Rows, table: Table | None, staged: Staged, manifest: Manifest
) -> Export:
    """What the audit is to judge: look before the merge, which takes the staged files."""
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
        raise Contradiction(_sentence(rows, finding, overlap), is_inflated=finding.is_inflated)
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


def _sentence(rows: Rows, finding: Finding, overlap: Counts) -> str:
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
