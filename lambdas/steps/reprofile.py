"""Decide a provisional profile again: an overlap contradicts it, so all that has landed is ranked and merged anew."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from lambdas.lake.errors import Contradiction, Undecided
from lambdas.lake.profile.evidence import instants_at
from lambdas.lake.profile.profile import Profile
from lambdas.lake.profile.ranking import doubled
from lambdas.lake.profile.sample import Sample
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.tables.shadow_table import ShadowTable
from lambdas.settings import Settings
from lambdas.steps.merge_batch import MergeRequest, merge_batch
from lambdas.steps.new_profile import inference, sample
from lambdas.steps.table_checks import window_of
from lambdas.vocabulary import ExportType

# Enough to compare, few enough to read record by record.
_EXPORTS, _RECORDS = 4, 20_000


def reprofile(request: MergeRequest, table: Table, landed: Sequence[Manifest], cause: Contradiction) -> dict[str, Any]:
    """Rebuild a provisional table under the profile on which its exports agree; return the counts of the batch.

    `landed` are all batches that the table is made of, and the request's own.

    Raises:
        Contradiction: the batch alone is to blame; the table stays as it is.
        Undecided: no profile agrees; the table stays as it is.
        Unloadable: a batch cannot be merged.
    """
    lake = request.lake
    profile, twice = profile_again(
        lake.engine,
        request.export,
        table,
        landed,
        lambda manifest, most: sample(lake.s3, lake.store.bucket, manifest, most),
        settings=request.settings,
        newest=request.manifest,
        cause=cause,
    )
    left_out = tuple(dict.fromkeys((*table.left_out, *sorted(twice))))
    return _rebuilt(request, profile, left_out, landed)


def profile_again(
    engine: duckdb.DuckDBPyConnection,
    export: ExportType,
    table: Table,
    landed: Sequence[Manifest],
    read: Callable[[Manifest, int], Sample],
    *,
    settings: Settings,
    newest: Manifest,
    cause: Contradiction,
) -> tuple[Profile, frozenset[str]]:
    """Return the profile on which the exports agree, and the ids of the batches in which every event stands twice.

    `read` takes a sample of a batch, of so many records at most.

    Raises:
        Contradiction: the newest batch alone is to blame.
        Undecided: no profile agrees.
    """
    compared = sorted(landed, key=lambda one: one.age)[-_EXPORTS:]
    samples = [read(manifest, _RECORDS) for manifest in compared]
    instants = partial(instants_at, engine)
    twice = frozenset(compared[number].batch_id for number in doubled(samples, table.profile, instants))
    if newest.batch_id in twice:
        raise Contradiction(str(cause), is_inflated=True)
    kept = [(one, taken) for one, taken in zip(compared, samples, strict=True) if one.batch_id not in twice]
    windows = [window_of(manifest) for manifest, _ in kept]
    found = inference(export, settings, newest, compared)
    ranked = found.ranked(engine, [taken for _, taken in kept], windows)
    best = next((one for one in ranked if one.agrees), None)
    if best is None:
        raise Undecided(
            f"{cause} No other reading of the fields agrees either: the best, "
            f"{ranked[0].profile if ranked else 'none'}, does not. Name the fields in the settings "
            "eventTime and identityFields, and rebuild with replay --rebuild --reprofile."
        )
    if best.profile.identity == table.profile.identity and best.profile.times == table.profile.times and not twice:
        raise cause
    return best.profile, twice


def _rebuilt(
    request: MergeRequest, profile: Profile, left_out: tuple[str, ...], landed: Sequence[Manifest]
) -> dict[str, Any]:
    """Merge all batches into a shadow table under the profile, and switch to it."""
    lake = request.lake
    shadow = ShadowTable(lake.store, request.export, request.folder_name)
    shadow.begin(left_out, profile)
    rebuild = replace(request, lake=replace(lake, shadow_table=shadow), earlier=(), resume=False, is_replay=True)
    tally: dict[str, Any] = {}
    for manifest in sorted(landed, key=lambda one: one.age):
        if manifest.batch_id in left_out:
            continue
        name = f"{request.folder_name}-{keys.batch_folder(manifest.batch_id)}"
        is_own = manifest.batch_id == request.manifest.batch_id
        with TemporaryDirectory(dir=request.work) as work:
            try:
                merged = merge_batch(replace(rebuild, manifest=manifest, folder_name=name, work=Path(work)))
            except Contradiction as error:
                if is_own:
                    raise
                # The request's own batch is not to blame, whatever is wrong with another.
                raise Contradiction(f"Batch {manifest.batch_id}, ordered {manifest.ordered_at[:10]}: {error}") from None
        if is_own:
            tally = merged
    request.check_lease()
    shadow.switch(request.export, lake.catalog)
    # As of a table's first load: people are told what its fields are taken for now.
    return tally | {"profile": str(profile)}
