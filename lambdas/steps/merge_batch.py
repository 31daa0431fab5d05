"""Merge one landed batch into a table: stage its records, merge them day by day, publish the days."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

import duckdb

from lambdas.lake.column_types import Schema
from lambdas.lake.errors import Unfinished, Unloadable
from lambdas.lake.formats.splitting import Piece, pieces
from lambdas.lake.parsing import parse
from lambdas.lake.parsing.stager import Staged
from lambdas.lake.parsing.threshold import Threshold
from lambdas.lake.profile.audit import Counts
from lambdas.lake.profile.profile import Profile
from lambdas.lake.rows.checkpoint import Checkpoint, MergedDay
from lambdas.lake.rows.merge import Merge
from lambdas.lake.rows.sorted_files import ALL
from lambdas.lake.rows.staging import Rows
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.lake.storage.raw_object import RawObject, check_size, unpacked
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.glue_tables import Table
from lambdas.lake.tables.protocol import Tables
from lambdas.lake.tables.shadow_table import ShadowTable
from lambdas.settings import Settings
from lambdas.steps.audited import audited, prepared
from lambdas.steps.table_checks import check_not_left_out, check_table
from lambdas.vocabulary import ExportType, export_type

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

    from lambdas.lake.profile.inference import Inference

# An export spans two weeks. A file of invalid times must not make a run's state or record too large.
_MAX_TALLY_DAYS = 400
# A call begins no other day after that time: the rest of a function's 15 minutes is many times what a day of ten
# million rows took (docs/performance.md).
_CALL_SECONDS = 600


@dataclass(frozen=True)
class Lake:
    """What a merge works with: bucket, catalog and engine, and the tables that it publishes to."""

    s3: "S3Client"
    landing: Landing
    store: Store
    catalog: Catalog
    engine: duckdb.DuckDBPyConnection
    """One for all batches of a call: it takes as long to open as a small batch to stage."""
    shadow_table: ShadowTable | None = None
    """That of a rebuild."""

    @property
    def tables(self) -> Tables:
        """Where a merge reads and publishes a table."""
        return self.shadow_table or self.catalog


@dataclass(frozen=True)
class MergeRequest:
    """A batch to merge, and everything that the merge needs."""

    manifest: Manifest
    folder_name: str
    """The last folder of every key that is written; unique to a run and batch, so no visible file is overwritten."""
    lake: Lake
    settings: Settings
    work: Path
    """A local folder for temporary files."""
    check_lease: Callable[[], None]
    """Called right before publishing."""
    elapsed: Callable[[], float]
    """The seconds since the call began."""
    resume: bool = False
    """Whether an earlier call was unfinished: continue from its checkpoint."""
    earlier: tuple[Manifest, ...] = ()
    """Batches that left the table's profile undecided: a small table gathers evidence over several."""
    is_replay: bool = False
    """A replay may merge into a day whose files somebody has deleted, which restores them."""

    @property
    def export(self) -> ExportType:
        """The batch's export type."""
        return export_type(self.manifest.export_type)


def merge_batch(request: MergeRequest) -> dict[str, Any]:
    """Merge a batch and publish it; return the counts (`read`, `new`, `known`, …).

    Raises:
        Unfinished: call again, to resume with the remaining days.
        Unloadable: a retry changes nothing, and nothing was published.
        Undecided: there is no table yet, and the records do not say what their fields are.
        LostLease: another run may write the table now.
        CatalogRefused: Glue refused a change; running the step again is safe.
        WrittenByNewer: a newer version of this stack wrote the table.
    """
    check_size(request.manifest.bytes)
    table = request.lake.tables.table(request.export)
    kept = table.profile if table is not None else request.lake.tables.kept_profile(request.export)
    known = _rows(request, table, kept)
    duck = request.lake.engine
    staged = _stage(request, duck, known, None if kept else _inference(request))
    if not staged.rows:
        return _tally(staged, {}, known.schema)
    rows = replace(known, schema=staged.schema, profile=staged.profile)
    export, merge = prepared(
        duck,
        rows,
        table,
        staged,
        manifest=request.manifest,
        settings=request.settings,
        is_alone=kept is None and not request.earlier and not request.is_replay,
        newest_days=_newest_days(request, table),
    )
    merged = _merge_days(request, rows, merge, staged, table)
    overlap = sum((day.overlap for day in merged.values()), Counts())
    made = audited(rows, table, export, overlap)
    _publish(request, table, made, merged)
    if request.resume:
        Checkpoint(request.lake.store, request.export, request.folder_name).delete()
    return _tally(staged, merged, known.schema, overlap) | _decided(table, made)


def _rows(request: MergeRequest, table: Table | None, kept: Profile | None) -> Rows:
    """The context of staging, with schema and profile as they are before this batch."""
    check_not_left_out(table, request.manifest.batch_id)
    if table is not None:
        check_table(table, request.export, request.settings)
    return Rows(
        export=request.export,
        schema=Schema() if table is None else table.schema,
        profile=kept or Profile(),
        time_zone=request.settings.time_zone,
        ordered_at=datetime.fromisoformat(request.manifest.ordered_at),
        batch_id=request.manifest.batch_id,
    )


def _stage(request: MergeRequest, duck: duckdb.DuckDBPyConnection, rows: Rows, deciding: "Inference | None") -> Staged:
    """Read the batch into sorted files; put rejected records into quarantine."""
    store, settings = request.lake.store, request.settings
    raw = RawObject(request.lake.s3, store.bucket, request.manifest)

    def split(is_optimistic: bool) -> Iterator[Piece]:
        return pieces(unpacked(raw.read()), request.export, is_optimistic=is_optimistic)

    staged = parse.read(duck, split, rows, request.work, deciding)
    if staged.rejected:
        store.upload(staged.rejects, keys.quarantine(request.export, request.folder_name))
    Threshold(settings.quarantine_ratio, settings.quarantine_minimum).check(staged)
    return staged


def _inference(request: MergeRequest) -> "Inference":
    # Imported here: it takes longer than many a merge, and only a new table needs it.
    from lambdas.steps.new_profile import inference, samples  # noqa: PLC0415

    earlier = samples(request.lake.s3, request.lake.store.bucket, request.earlier)
    return inference(request.export, request.settings, request.manifest, request.earlier, earlier)


def _merge_days(
    request: MergeRequest, rows: Rows, merge: Merge, staged: Staged, table: Table | None
) -> dict[str, MergedDay]:
    """Merge every staged day that the checkpoint lacks, as long as the call may last."""
    checkpoint = Checkpoint(request.lake.store, request.export, request.folder_name)
    merged = checkpoint.read() if request.resume else {}
    resumed_at = len(merged)
    locations = _locations(request, table)
    for day in sorted(staged.sorted_files.keys() - merged.keys()):
        if len(merged) > resumed_at and request.elapsed() >= _CALL_SECONDS:
            checkpoint.write(merged)
            raise Unfinished
        merged[day] = _merge_day(request, rows, merge, day, locations.get(day))
    return merged


def _locations(request: MergeRequest, table: Table | None) -> dict[str, str]:
    """The locations of the stored rows, by day."""
    if table is None:
        return {}
    return request.lake.tables.locations(request.export) if table.profile.has_days else {ALL: table.location}


def _newest_days(request: MergeRequest, table: Table | None) -> Iterator[Sequence[Path]]:
    """Download the table's days one by one, the newest first, each for as long as the caller looks at it."""
    for _, location in sorted(_locations(request, table).items(), reverse=True):
        store = request.lake.store
        with TemporaryDirectory(dir=request.work) as work:
            if stored := store.download(store.prefix(location), Path(work)):
                yield stored


def _merge_day(request: MergeRequest, rows: Rows, merge: Merge, day: str, location: str | None) -> MergedDay:
    """Merge one day with its stored files and upload the new ones, which nothing points to yet."""
    export, store, work = request.export, request.lake.store, request.work
    stored = store.download(store.prefix(location), work / day) if location is not None else []
    if location is not None and not stored and not request.is_replay:
        raise Unloadable(_missing_files(rows, day, location))
    done = merge.into(day, stored, work)
    name = request.folder_name
    prefix = keys.day_prefix(export, day, name) if rows.profile.has_days else keys.entity_prefix(export, name)
    if done.files:
        store.upload_all(done.files, prefix)
    for path in (*stored, *done.files):
        path.unlink()
    return MergedDay(
        read=done.read,
        new=done.new,
        updated=done.updated,
        location=store.location(prefix) if done.files else None,
        overlap=done.overlap,
    )


def _missing_files(rows: Rows, day: str, location: str) -> str:
    what = f"day {day} of the table" if rows.profile.has_days else "table"
    return (
        f"The files of the {what} {rows.export.table} are gone: the catalog points to {location}, and nothing lies "
        "there. Merging into it would pass for the whole of it, so nothing was published. "
        "Replay the type without dates, which merges all of "
        "raw/ again; then run it as usual."
    )


def _publish(request: MergeRequest, table: Table | None, made: Table, merged: Mapping[str, MergedDay]) -> None:
    """Make the changed days visible, if the run still has the lease."""
    changed = {day: done.location for day, done in merged.items() if done.location is not None}
    if not changed:
        return
    request.check_lease()
    tables = request.lake.tables
    if made.profile.has_days:
        tables.publish_days(request.export, before=table, made=made, days=changed)
    else:
        tables.publish_entity(request.export, before=table, made=replace(made, location=changed[ALL]))


def _decided(table: Table | None, made: Table) -> dict[str, Any]:
    """What the table takes its fields for, where this batch decided it."""
    return {"profile": str(made.profile)} if table is None else {}


def _tally(
    staged: Staged, merged: Mapping[str, MergedDay], before: Schema, overlap: Counts | None = None
) -> dict[str, Any]:
    files = [file for found in staged.sorted_files.values() for file in found]
    known = {column.name for column in before.stored}
    days = {day: {"read": done.read, "new": done.new, "updated": done.updated} for day, done in merged.items()}
    return {
        "read": staged.rows,
        "new": sum(day.new for day in merged.values()),
        "known": sum(day.known for day in merged.values()),
        "updated": sum(day.updated for day in merged.values()),
        "rescued": sum(file.rescued for file in files),
        "quarantined": staged.rejected,
        "unknownTime": staged.unknown_times,
        "earliest": min((file.first for file in files if file.first), default=None),
        "latest": max((file.last for file in files if file.last), default=None),
        "shared": overlap.shared if overlap else 0,
        "missing": overlap.missing if overlap else 0,
        "replaced": overlap.replaced if overlap else 0,
        "recounted": overlap.inflated + overlap.deflated if overlap else 0,
        "newColumns": [column.name for column in staged.schema.stored if column.name not in known],
        "dayCount": len(days),
        "days": dict(sorted(days.items())[-_MAX_TALLY_DAYS:]),
    }
