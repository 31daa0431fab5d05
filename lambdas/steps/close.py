"""Close a run: watermark, run record, tidying, the lease; on failure a sentence for people."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from lambdas.lake.catalog import Catalog
from lambdas.lake.records import write_run_record
from lambdas.lake.store import Store
from lambdas.lake.tidy import tidy
from lambdas.ledger import Ledger
from lambdas.run import Execution, RunState
from lambdas.settings import Settings
from lambdas.steps.plan import leaves_no_gap
from lambdas.symplify.vocabulary import Period, period

SUCCEEDED, FAILED = "succeeded", "failed"


@dataclass(frozen=True)
class Books:
    """Where a run is written down."""

    ledger: Ledger
    store: Store
    catalog: Catalog


def close(state: RunState, run: Execution, books: Books, settings: Settings, now: datetime) -> RunState:
    """Return the state with outcome `succeeded`, or `failed` with the error's name and a sentence for people.

    Raises:
        UnknownName: the state names no export type; there is nobody to write the run down for.
    """
    succeeded = state.outcome == "loaded" and state.error is None
    closed = (
        replace(state, outcome=SUCCEEDED, wait_seconds=None)
        if succeeded
        else replace(
            state, outcome=FAILED, wait_seconds=None, error=None, error_name=_error_name(state), reason=_sentence(state)
        )
    )
    _settle_batch(state, closed, books.ledger, settings)
    record = _record(closed, run, now)
    books.ledger.write_run(run, record)
    write_run_record(books.store, books.catalog, run.folder, record)
    lease = books.ledger.lease()
    if lease is not None and lease.owner == run.arn:
        retention = timedelta(hours=settings.superseded_retention_hours)
        tidy(state.export, books.store, books.catalog, retention, now)
        books.ledger.release_lease(run)
    return closed


def _settle_batch(state: RunState, closed: RunState, ledger: Ledger, settings: Settings) -> None:
    if state.batch_id is None or state.ordered_at is None:
        return
    if closed.outcome == FAILED:
        # What the vendor, or the file itself, says for good is not tried again.
        ledger.mark_batch_failed(state.batch_id, final=state.outcome == FAILED and state.error is None)
        return
    ordered_at = datetime.fromisoformat(state.ordered_at)
    nightly = period(settings.nightly_period)
    if leaves_no_gap(Period(state.period or ""), ordered_at, ledger.watermark(), nightly):
        ledger.move_watermark(state.ordered_at, state.batch_id)


def _error_name(state: RunState) -> str:
    if state.error is not None:
        return str(state.error.get("Error", "Error"))
    return {"overdue": "BatchOverdue", FAILED: "ExportFailed"}.get(state.outcome, "UnknownOutcome")


def _sentence(state: RunState) -> str:
    subject = ", ".join(
        part
        for part in (
            state.export_type or "A run without an export type",
            state.period,
            f"batch {state.batch_id}" if state.batch_id else None,
        )
        if part
    )
    return f"{subject}: {_what(state)} {_kept(state)}"


def _what(state: RunState) -> str:
    if state.error is not None:
        cause = " ".join(str(state.error.get("Cause", "")).split())
        return f"A step failed with {state.error.get('Error', 'an error')}: {cause[:500] or 'no cause given'}."
    return state.reason or f"A step ended with the outcome '{state.outcome}', which nobody knows."


def _kept(state: RunState) -> str:
    if state.outcome == "loaded":
        return "The rows are loaded; only the closing of the run failed."
    if state.bytes is not None:
        return f"Its {state.bytes} bytes are safe in raw/, and the tables are as they were."
    if state.batch_id is not None:
        return "The batch was ordered and not copied; the tables are as they were."
    return "Nothing was ordered, and the tables are as they were."


def _record(state: RunState, run: Execution, now: datetime) -> Mapping[str, Any]:
    """The run's record, with the column names of the table `export_runs`."""
    tally = state.tally or {}
    return {
        "run": run.folder,
        "execution_arn": run.arn,
        "export_type": state.export.name,
        "period": state.period,
        "scheduled_time": state.scheduled_time,
        "batch_id": state.batch_id,
        "ordered_at": state.ordered_at,
        "started_at": run.started_at.isoformat(timespec="seconds"),
        "ended_at": now.isoformat(timespec="seconds"),
        "outcome": state.outcome,
        "error": state.error_name,
        "reason": state.reason,
        "unreachable_days": state.unreachable_days,
        "bytes": state.bytes,
        "rows_read": tally.get("read"),
        "rows_new": tally.get("new"),
        "rows_known": tally.get("known"),
        "rows_updated": tally.get("updated"),
        "rows_rescued": tally.get("rescued"),
        "rows_quarantined": tally.get("quarantined"),
        "rows_unknown_time": tally.get("unknownTime"),
        "days": len(tally.get("days", ())) or None,
        "earliest_event": tally.get("earliest"),
        "latest_event": tally.get("latest"),
        "new_columns": ",".join(tally.get("newColumns", ())) or None,
    }
