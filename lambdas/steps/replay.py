"""Replay: merge landed batches again, from raw/ alone. A rebuild merges all into a shadow table, and switches to it.

A call merges a few batches and returns `partial` with a cursor, so neither time-out nor state nor history grows with
their number. Every call is idempotent.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.lake.errors import Undecided, Unfinished, Unloadable
from lambdas.lake.storage import keys
from lambdas.lake.tables.glue_tables import SCHEMA_VERSION
from lambdas.lake.tables.shadow_table import LostShadowTable, ShadowTable, finish_switch
from lambdas.lake.tables.vacuum import vacuum
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import LOADED
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.load_result import Clock, hold_lease
from lambdas.steps.merge_batch import Lake, MergeRequest, merge_batch
from lambdas.steps.replay_request import Selection
from lambdas.steps.table_checks import kept_profile
from lambdas.vocabulary import ExportType

SWITCH = "switch"
"""The cursor of a rebuild that has merged everything; the next call only switches."""
# A call begins no other batch after that time, so that every batch has most of a function's 15 minutes.
_CALL_SECONDS = 120
_SUMS = ("read", "new", "known", "updated", "rescued", "quarantined", "unknownTime")
_SHOWN = 5
# So many later exports are evidence where a batch alone leaves it undecided what its fields are.
_EVIDENCE = 10


@dataclass(frozen=True)
class _Replay:
    """One call of a replay."""

    asked: Selection
    export: ExportType
    run: Execution
    ledger: Ledger
    lake: Lake
    settings: Settings
    check_lease: Callable[[], None]


def replay(
    state: RunState, run: Execution, *, ledger: Ledger, lake: Lake, settings: Settings, folder: Path, clock: Clock
) -> RunState:
    """Return the state with outcome `partial` (call again), `loaded` or `failed`.

    Raises:
        BadInput: the request is invalid.
        LostLease: another run may write the table now.
        LostShadowTable: the rebuild's shadow table is gone, or an earlier version of this stack began it.
        CatalogRefused: Glue refused a change; running the step again is safe.
        WrittenByNewer: a newer version of this stack wrote the table or the shadow table.
    """
    asked = Selection.from_json(state.replay or {})
    call = _Replay(
        asked=asked,
        export=state.export,
        run=run,
        ledger=ledger,
        lake=lake,
        settings=settings,
        check_lease=partial(hold_lease, ledger, run),
    )
    call.check_lease()
    try:
        if asked.is_rebuild:
            return _rebuild(state, call, folder, clock)
        finish_switch(call.export, lake.store, lake.catalog)
        done = _merge_some(state, call, folder, clock)
        if done.outcome == Outcome.LOADED:
            if done.cursor is None:
                raise Unloadable(f"No batch of {call.export.name} that was ordered in that time lies in raw/.")
            _vacuum(call)
        return done
    except Unloadable as error:
        return replace(state, outcome=Outcome.FAILED, reason=str(error), wait_seconds=None)


def _rebuild(state: RunState, call: _Replay, folder: Path, clock: Clock) -> RunState:
    shadow_table = ShadowTable(call.lake.store, call.export, call.run.folder)
    if state.cursor == SWITCH:
        return _switch(state, call, shadow_table)
    _check_holes(call)
    if state.cursor is None:
        # The new shadow table replaces whatever a killed run has left, also a switch that cannot be completed.
        with suppress(LostShadowTable):
            finish_switch(call.export, call.lake.store, call.lake.catalog)
        table = call.lake.catalog.table(call.export)
        keeps = table is not None and table.schema_version == SCHEMA_VERSION and not call.asked.reprofiles
        kept = kept_profile(table, call.export, call.settings) if table is not None and keeps else None
        shadow_table.begin(call.asked.left_out, kept)
    into_shadow = replace(call, lake=replace(call.lake, shadow_table=shadow_table))
    done = _merge_some(state, into_shadow, folder, clock)
    return replace(done, outcome=Outcome.PARTIAL, cursor=SWITCH) if done.outcome == Outcome.LOADED else done


def _switch(state: RunState, call: _Replay, shadow_table: ShadowTable) -> RunState:
    # Without a shadow table, this call ran before and its answer was lost.
    if shadow_table.exists:
        _check_holes(call)
        call.check_lease()
        if not shadow_table.switch(call.export, call.lake.catalog):
            raise Unloadable("All that lies in raw/ holds no rows, so there is nothing to make a table of.")
    _vacuum(call)
    return replace(state, outcome=Outcome.LOADED, cursor=None)


def _merge_some(state: RunState, call: _Replay, folder: Path, clock: Clock) -> RunState:
    """Merge the batches after the cursor until the call's time is used, or until none is left (`loaded`)."""
    began, done = clock(), state
    table = call.lake.tables.table(call.export)
    left_out = call.asked.left_out or (table.left_out if table else ())
    for manifest_key in _landed(call, left_out, state.cursor):
        if done is not state and clock() - began >= _CALL_SECONDS:
            return replace(done, outcome=Outcome.PARTIAL)
        try:
            done = _merge_one(done, manifest_key, call, folder, elapsed=lambda: clock() - began)
        except Unfinished:
            return replace(done, outcome=Outcome.PARTIAL)
    return replace(done, outcome=Outcome.LOADED, wait_seconds=None)


def _merge_one(
    state: RunState, manifest_key: str, call: _Replay, folder: Path, elapsed: Callable[[], float]
) -> RunState:
    manifest = call.lake.landing.manifest_at(manifest_key)
    if manifest is None:
        raise Unloadable(f"{manifest_key} is gone from raw/.")
    name = f"{call.run.folder}-{keys.batch_folder(manifest.batch_id)}"
    request = MergeRequest(
        manifest=manifest,
        folder_name=name,
        lake=call.lake,
        settings=call.settings,
        work=folder,
        check_lease=call.check_lease,
        elapsed=elapsed,
        resume=state.outcome == Outcome.PARTIAL,
        is_replay=True,
    )
    try:
        try:
            tally = _merged(request)
        except Undecided:
            # A small table's profile was decided from several exports.
            later = islice(_landed(call, call.asked.left_out, manifest_key), _EVIDENCE)
            found = (call.lake.landing.manifest_at(key) for key in later)
            tally = _merged(replace(request, earlier=tuple(one for one in found if one is not None)))
    except Unloadable as error:
        advice = (
            f"To rebuild the table without it, add --except {manifest.batch_id}."
            if call.asked.is_rebuild
            else "The batches before it are merged; use --from and --to to skip it by its day of order."
        )
        raise Unloadable(f"Batch {manifest.batch_id}, ordered {manifest.ordered_at[:10]}: {error} {advice}") from None
    if not call.asked.is_rebuild:
        call.ledger.mark_batch(manifest.batch_id, LOADED)
    total = _added(state.tally or {}, tally)
    size = (state.bytes or 0) + manifest.bytes
    return replace(state, cursor=manifest_key, tally=total, rows=total["read"], bytes=size)


def _merged(request: MergeRequest) -> dict[str, Any]:
    with TemporaryDirectory(dir=request.work) as work:
        return merge_batch(replace(request, work=Path(work)))


def _landed(call: _Replay, left_out: tuple[str, ...], cursor: str | None) -> Iterator[str]:
    """Yield the manifests of the selected batches in the order of their keys, which begin with the day of order."""
    prefix = keys.raw_prefix(call.export)
    excluded = {keys.batch_folder(batch_id) for batch_id in left_out}
    for found in call.lake.store.objects(prefix, after=cursor or f"{prefix}{call.asked.first}"):
        day, _, rest = found.key.removeprefix(prefix).partition("/")
        batch, _, name = rest.partition("/")
        if call.asked.last and day > call.asked.last:
            return
        if name == keys.MANIFEST and batch not in excluded:
            yield found.key


def _check_holes(call: _Replay) -> None:
    """Check that raw/ still has every batch whose rows the table may have.

    Raises:
        Unloadable: one is missing, or a batch to leave out does not exist.
    """
    export, left_out = call.export, set(call.asked.left_out)
    present = {found.key for found in call.lake.store.objects(keys.raw_prefix(export))}
    loaded = call.ledger.loaded_batches()
    missing = []
    for batch in sorted(loaded, key=lambda one: one.ordered_at):
        raw = keys.raw(export, batch.ordered_at, batch.batch_id)
        if batch.batch_id not in left_out and not {raw.result, raw.manifest} <= present:
            missing.append(f"{batch.batch_id} ({batch.ordered_at[:10]})")
    if missing:
        more = f" and {len(missing) - _SHOWN} more" if len(missing) > _SHOWN else ""
        raise Unloadable(
            f"raw/ has holes: {', '.join(missing[:_SHOWN])}{more} of {export.name} were loaded and are not there any "
            "more, so their rows would be lost. Restore them, or leave them out for good with --except."
        )
    known = {batch.batch_id for batch in loaded} | {key.rsplit("/", 2)[-2] for key in present}
    unknown = sorted(one for one in left_out if one not in known and keys.batch_folder(one) not in known)
    if unknown:
        raise Unloadable(f"{', '.join(unknown[:_SHOWN])}: no such batch of {export.name}, so nothing was left out.")


def _vacuum(call: _Replay) -> None:
    retention = call.settings.superseded_retention
    vacuum(call.export, call.lake.store, call.lake.catalog, retention=retention, now=datetime.now(UTC))


def _added(total: Mapping[str, Any], tally: Mapping[str, Any]) -> dict[str, Any]:
    """Counts over all batches so far, without single days: a year of them would not fit the state."""
    times = {
        name: choose((moment for moment in (total.get(name), tally[name]) if moment), default=None)
        for name, choose in (("earliest", min), ("latest", max))
    }
    return {name: total.get(name, 0) + tally[name] for name in _SUMS} | times | {"batches": total.get("batches", 0) + 1}
