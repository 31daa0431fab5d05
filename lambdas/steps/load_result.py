"""Load a landed batch: from raw/ to published rows."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.lake.errors import Contradiction, LostLease, Undecided, Unfinished, Unloadable
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.tables.shadow_table import finish_switch
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import DEAD, LOADED, UNDECIDED
from lambdas.outcome import ErrorName, Outcome
from lambdas.settings import Settings
from lambdas.steps.merge_batch import Lake, MergeRequest, merge_batch
from lambdas.steps.table_checks import may_be_decided_again
from lambdas.vocabulary import ExportType

Clock = Callable[[], float]
"""A monotonic clock, in seconds."""


def load_result(
    state: RunState, run: Execution, *, ledger: Ledger, lake: Lake, settings: Settings, folder: Path, clock: Clock
) -> RunState:
    """Return the state with outcome `loaded`, `partial` (call again), `undecided` or `failed`.

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
    undecided = _undecided(ledger, lake, export, batch_id)
    request = MergeRequest(
        manifest=manifest,
        folder_name=run.folder,
        lake=lake,
        settings=settings,
        work=folder,
        check_lease=check_lease,
        elapsed=lambda: clock() - began,
        resume=state.outcome == Outcome.PARTIAL,
        earlier=undecided,
    )
    try:
        tally = _merge(request, ledger)
        ledger.mark_batch(batch_id, LOADED)
        if lake.catalog.table(export) is not None:
            # An export without records decides nothing.
            _merge_undecided(request, ledger, undecided)
    except Unfinished:
        return replace(state, outcome=Outcome.PARTIAL, wait_seconds=None)
    except Undecided as error:
        ledger.mark_batch(batch_id, UNDECIDED)
        return replace(
            state,
            outcome=Outcome.UNDECIDED,
            error_name=ErrorName.UNDECIDED,
            reason=str(error),
            bytes=manifest.bytes,
            wait_seconds=None,
        )
    except Unloadable as error:
        return replace(state, outcome=Outcome.FAILED, reason=str(error))
    vacuum(export, lake.store, lake.catalog, retention=settings.superseded_retention, now=datetime.now(UTC))
    return replace(
        state, outcome=Outcome.LOADED, bytes=manifest.bytes, rows=tally["read"], tally=tally, wait_seconds=None
    )


def _merge(request: MergeRequest, ledger: Ledger) -> dict[str, Any]:
    """Merge the batch; when it contradicts a provisional profile, decide that again from all that has landed."""
    catalog, export = request.lake.catalog, request.export
    try:
        try:
            return merge_batch(request)
        except Contradiction as cause:
            table = catalog.table(export)
            if table is None or cause.is_inflated or not may_be_decided_again(table, export, request.settings):
                raise
            # Imported here, as in `merge_batch`: few loads need it.
            from lambdas.steps.reprofile import reprofile  # noqa: PLC0415

            return reprofile(request, table, _landed(request, ledger, table), cause)
    except Contradiction as cause:
        table = catalog.table(export)
        if table is not None:
            request.check_lease()
            if cause.is_inflated:
                table = replace(table, left_out=(*table.left_out, request.manifest.batch_id))
            else:
                table = replace(table, history=replace(table.history, blocked=str(cause)))
            catalog.annotate(export, table)
        raise


def _landed(request: MergeRequest, ledger: Ledger, table: Table) -> list[Manifest]:
    """The batches that the table is made of, and the request's own."""
    loaded = [batch for batch in ledger.loaded_batches() if batch.batch_id not in table.left_out]
    found = [request.lake.landing.manifest(request.export, one.ordered_at, one.batch_id) for one in loaded]
    others = [one for one in found if one is not None and one.batch_id != request.manifest.batch_id]
    return [*others, request.manifest]


def _undecided(ledger: Ledger, lake: Lake, export: ExportType, batch_id: str) -> tuple[Manifest, ...]:
    """The landed batches of earlier nights that left it undecided what their fields are."""
    batches = (batch for batch in ledger.undecided_batches() if batch.batch_id != batch_id)
    found = (lake.landing.manifest(export, batch.ordered_at, batch.batch_id) for batch in batches)
    return tuple(manifest for manifest in found if manifest is not None)


def _merge_undecided(request: MergeRequest, ledger: Ledger, undecided: Sequence[Manifest]) -> None:
    """Merge what has waited for a decision, each batch in a call of its own if it is large.

    Raises:
        Unfinished: call again.
        Unloadable: one of them cannot be loaded; it is not tried again.
    """
    for manifest in undecided:
        name = f"{request.folder_name}-{keys.batch_folder(manifest.batch_id)}"
        with TemporaryDirectory(dir=request.work) as work:
            try:
                merge_batch(replace(request, manifest=manifest, folder_name=name, earlier=(), work=Path(work)))
            except Unloadable as error:
                ledger.mark_batch(manifest.batch_id, DEAD)
                raise Unloadable(
                    f"Batch {manifest.batch_id}, ordered {manifest.ordered_at[:10]}, waited for the table's profile "
                    f"to be decided, and cannot be loaded under it: {error}"
                ) from None
        ledger.mark_batch(manifest.batch_id, LOADED)


def hold_lease(ledger: Ledger, run: Execution) -> None:
    """Check that the run still holds its type's lease.

    Raises:
        LostLease: another run may write the table now.
    """
    lease = ledger.lease()
    if lease is None or lease.owner != run.arn:
        raise LostLease("Another run holds this export type's lease now, so this one published nothing.")
