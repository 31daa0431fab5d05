"""Close a run: watermark, run record, vacuum, lease; after a failure, a sentence for people."""

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime

from lambdas.execution import Execution, RunState
from lambdas.lake.storage.landing import Landing
from lambdas.lake.storage.store import NotDeleted, Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.export_runs import write_run_record
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.failure import MAYBE_ORDERED, failure_of
from lambdas.steps.plan_run import leaves_no_gap
from lambdas.steps.run_record import record_of
from lambdas.vocabulary import period


@dataclass(frozen=True)
class CloseDependencies:
    """What closing a run reads and writes."""

    ledger: Ledger
    store: Store
    catalog: Catalog
    landing: Landing


def close_run(
    state: RunState, run: Execution, dependencies: CloseDependencies, settings: Settings, now: datetime
) -> RunState:
    """Return the state with outcome `succeeded`, or `failed` or `undecided` with a name and a sentence for people.

    Idempotent: nothing counts twice, and a second call writes the same.

    Raises:
        UnknownName: the state names no export type: see `close_unknown`.
    """
    export, ledger = state.export, dependencies.ledger
    placed = ledger.order(run)
    if state.outcome == Outcome.LOADED and state.error is None:
        closed = replace(state, outcome=Outcome.SUCCEEDED, wait_seconds=None, reason=None, error_name=None)
        _move_watermark(state, ledger, settings)
    else:
        state = with_order(state, placed)
        status = _settle_failure(state, run, ledger)
        closed = _failed(state, status or (MAYBE_ORDERED if placed.intent_at else None))
    record = record_of(closed, run, now, placed.unanswered)
    ledger.write_run(run, record)
    write_run_record(dependencies.store, dependencies.catalog, run.folder, record)
    lease = ledger.lease()
    if lease is not None and lease.owner == run.arn:
        # Only the owner of the lease copies this type, so no other run resumes an upload that is open now.
        dependencies.landing.abort_all(export)
        # Nothing points to what stays, and the next load, which deletes it or fails loudly, needs the lease.
        with suppress(NotDeleted):
            vacuum(export, dependencies.store, dependencies.catalog, retention=settings.superseded_retention, now=now)
        ledger.release_lease(run)
    if closed.outcome != Outcome.SUCCEEDED and state.scheduled_time is not None:
        ledger.release_claim(state.scheduled_time, run)
    return closed


def close_unknown(state: RunState) -> RunState:
    """Close a run that names no export type, and so has touched no ledger, table or lease."""
    return _failed(state, None)


def _move_watermark(state: RunState, ledger: Ledger, settings: Settings) -> None:
    if state.batch_id is None or state.ordered_at is None or state.period is None:
        return
    covered, nightly = period(state.period), period(settings.nightly_period)
    if leaves_no_gap(covered, datetime.fromisoformat(state.ordered_at), ledger.watermark(), nightly):
        ledger.move_watermark(state.ordered_at, state.batch_id)


def with_order(state: RunState, placed: Order) -> RunState:
    """The state with the batch that the run ordered, in case a crash kept it out of the state."""
    if state.batch_id is not None:
        return state
    return replace(state, batch_id=placed.batch_id, ordered_at=placed.ordered_at)


def _settle_failure(state: RunState, run: Execution, ledger: Ledger) -> str | None:
    """Count the failure against the batch, and return the batch's status."""
    if state.batch_id is None:
        return None
    # A final refusal by the vendor, or a file that cannot be loaded, is not tried again. A named error is not the
    # batch's fault.
    final = state.outcome == Outcome.FAILED and state.error is None and state.error_name is None
    return ledger.mark_batch_failed(state.batch_id, run, final=final)


def _failed(state: RunState, batch_status: str | None) -> RunState:
    failure = failure_of(state, batch_status)
    is_undecided = state.outcome == Outcome.UNDECIDED and state.error is None
    return replace(
        state,
        outcome=Outcome.UNDECIDED if is_undecided else Outcome.FAILED,
        wait_seconds=None,
        error=None,
        error_name=failure.name,
        reason=failure.sentence,
    )
