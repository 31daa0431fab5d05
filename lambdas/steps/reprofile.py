"""Decide a provisional profile again: an overlap contradicts it, so all that has landed is ranked and merged anew."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lambdas.lake.errors import Contradiction, Undecided
from lambdas.lake.profile.evidence import instants_at
from lambdas.lake.profile.profile import Profile
from lambdas.lake.profile.ranking import doubled
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.tables.shadow_table import ShadowTable
from lambdas.steps.merge_batch import MergeRequest, merge_batch
from lambdas.steps.new_profile import inference, sample
from lambdas.steps.table_checks import window_of

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
    compared = sorted(landed, key=lambda one: one.age)[-_EXPORTS:]
    lake = request.lake
    samples = [sample(lake.s3, lake.store.bucket, manifest, _RECORDS) for manifest in compared]
    instants = partial(instants_at, lake.engine)
    twice = {compared[number].batch_id for number in doubled(samples, table.profile, instants)}
    if request.manifest.batch_id in twice:
        raise Contradiction(str(cause), is_inflated=True)
    kept = [(one, taken) for one, taken in zip(compared, samples, strict=True) if one.batch_id not in twice]
    windows = [window_of(manifest) for manifest, _ in kept]
    found = inference(request.export, request.settings, request.manifest, compared)
    ranked = found.ranked(lake.engine, [taken for _, taken in kept], windows)
    best = next((one for one in ranked if one.agrees), None)
    if best is None:
        raise Undecided(
            f"{cause} No other reading of the fields agrees either: the best, "
            f"{ranked[0].profile if ranked else 'none'}, does not. Name the fields in the settings "
            "eventTime and identityFields, and rebuild with replay --rebuild --reprofile."
        )
    if best.profile.identity == table.profile.identity and best.profile.times == table.profile.times and not twice:
        raise cause
    left_out = tuple(dict.fromkeys((*table.left_out, *sorted(twice))))
    return _rebuilt(request, best.profile, left_out, landed)


def _rebuilt(
    request: MergeRequest, profile: Profile, left_out: tuple[str, ...], landed: Sequence[Manifest]
) -> dict[str, Any]:
    """Merge all batches into a shadow table under the profile, and switch to it."""
    lake = request.lake
    shadow = ShadowTable(lake.store, request.export, request.folder_name)
    shadow.begin(left_out, profile)
    tally: dict[str, Any] = {}
    for manifest in sorted(landed, key=lambda one: one.age):
        if manifest.batch_id in left_out:
            continue
        name = f"{request.folder_name}-{keys.batch_folder(manifest.batch_id)}"
        with TemporaryDirectory(dir=request.work) as work:
            merged = merge_batch(
                replace(
                    request,
                    manifest=manifest,
                    folder_name=name,
                    lake=replace(lake, shadow_table=shadow),
                    work=Path(work),
                    earlier=(),
                    resume=False,
                    is_replay=True,
                )
            )
        if manifest.batch_id == request.manifest.batch_id:
            tally = merged
    request.check_lease()
    shadow.switch(request.export, lake.catalog)
    # As of a table's first load: people are told what its fields are taken for now.
    return tally | {"profile": str(profile)}
