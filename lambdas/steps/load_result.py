"""Load a landed batch: from raw/ to rows that readers see."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from lambdas.execution import Execution, RunState
from lambdas.lake.errors import LostLease, Unfinished, Unloadable
from lambdas.lake.tables.shadow_table import finish_switch
from lambdas.lake.tables.vacuum import tidy
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import LOADED
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.merge_batch import Lake, merge_batch

Clock = Callable[[], float]
"""Seconds that only grow."""


def load_result(
    state: RunState, run: Execution, ledger: Ledger, lake: Lake, settings: Settings, folder: Path, clock: Clock
) -> RunState:
    """Return the state with outcome `loaded`, `partial` (call again) or `failed`.

    Nothing is visible to readers before all of it is.

    Raises:
        BadInput: the state has no batch.
        LostLease: another run may write the table now.
        CatalogRefused: Glue did not take a change; running the step again is safe.
        LostDraft: a rebuild was killed while it switched tables, and its draft is gone.
    """
    began = clock()
    ordered_at, batch_id = state.age
    export = state.export
    manifest = lake.landing.manifest(export, ordered_at, batch_id)
    if manifest is None:
        return replace(
            state, outcome=Outcome.FAILED, reason="Nothing has landed of this batch, so there is nothing to load."
        )
    check_lease = partial(hold_lease, ledger, run)
    check_lease()
    finish_switch(export, lake.store, lake.catalog)
    try:
        tally = merge_batch(
            manifest,
            run.folder,
            lake,
            settings,
            folder,
            check_lease,
            lambda: clock() - began,
            goes_on=state.outcome == Outcome.PARTIAL,
        )
    except Unfinished:
        return replace(state, outcome=Outcome.PARTIAL, wait_seconds=None)
    except Unloadable as error:
        return replace(state, outcome=Outcome.FAILED, reason=str(error))
    ledger.mark_batch(batch_id, LOADED)
    retention = timedelta(hours=settings.superseded_retention_hours)
    tidy(export, lake.store, lake.catalog, retention, datetime.now(UTC))
    return replace(
        state, outcome=Outcome.LOADED, bytes=manifest.bytes, rows=tally["read"], tally=tally, wait_seconds=None
    )


def hold_lease(ledger: Ledger, run: Execution) -> None:
    """Make sure that the run still holds its type's lease.

    Raises:
        LostLease: another run may write the table now.
    """
    lease = ledger.lease()
    if lease is None or lease.owner != run.arn:
        raise LostLease("Another run holds this export type's lease now, so this one published nothing.")
