"""Load a landed batch: from raw/ to published rows."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from lambdas.execution import Execution, RunState
from lambdas.lake.errors import LostLease, Unfinished, Unloadable
from lambdas.lake.tables.shadow_table import finish_switch
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import LOADED
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.merge_batch import Lake, MergeRequest, merge_batch

Clock = Callable[[], float]
"""A monotonic clock, in seconds."""


def load_result(
    state: RunState, run: Execution, *, ledger: Ledger, lake: Lake, settings: Settings, folder: Path, clock: Clock
) -> RunState:
    """Return the state with outcome `loaded`, `partial` (call again) or `failed`.

    Nothing is published before every day is merged.

    Raises:
        BadInput: the state has no batch.
        LostLease: another run may write the table now.
        CatalogRefused: Glue refused a change; running the step again is safe.
        LostShadowTable: a rebuild was killed during its switch, and its shadow table is gone.
        WrittenByNewer: a newer version of this stack wrote the table.
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
            MergeRequest(
                manifest=manifest,
                folder_name=run.folder,
                lake=lake,
                settings=settings,
                work=folder,
                check_lease=check_lease,
                elapsed=lambda: clock() - began,
                resume=state.outcome == Outcome.PARTIAL,
            )
        )
    except Unfinished:
        return replace(state, outcome=Outcome.PARTIAL, wait_seconds=None)
    except Unloadable as error:
        return replace(state, outcome=Outcome.FAILED, reason=str(error))
    ledger.mark_batch(batch_id, LOADED)
    vacuum(export, lake.store, lake.catalog, retention=settings.superseded_retention, now=datetime.now(UTC))
    return replace(
        state, outcome=Outcome.LOADED, bytes=manifest.bytes, rows=tally["read"], tally=tally, wait_seconds=None
    )


def hold_lease(ledger: Ledger, run: Execution) -> None:
    """Check that the run still holds its type's lease.

    Raises:
        LostLease: another run may write the table now.
    """
    lease = ledger.lease()
    if lease is None or lease.owner != run.arn:
        raise LostLease("Another run holds this export type's lease now, so this one published nothing.")
