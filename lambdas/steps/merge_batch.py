"""One landed batch into a table: read, merge, publish."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdas.lake import engine
from lambdas.lake.errors import Unfinished, Unloadable
from lambdas.lake.formats.splitting import pieces
from lambdas.lake.parsing import parse
from lambdas.lake.parsing.parse import Staged, Threshold
from lambdas.lake.rows.checkpoint import MergedDay, Progress
from lambdas.lake.rows.merge import Merge
from lambdas.lake.rows.sorted_files import ALL
from lambdas.lake.rows.staging import Rows
from lambdas.lake.schema import Kind, Schema
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.lake.storage.raw_object import RawObject, check_size, unpacked
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.lake.tables.glue_tables import SCHEMA_VERSION, Table
from lambdas.lake.tables.shadow_table import Draft
from lambdas.settings import Settings
from lambdas.vocabulary import ExportType, export_type

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# An export spans two weeks. A file of times that are none must not make a run's state or record too large.
_MOST_DAYS_TOLD = 400
# A call begins no other day after that time: what is left of a function's 15 minutes is many times what a day of ten
# million rows took (docs/performance.md).
_CALL_SECONDS = 600


@dataclass(frozen=True)
class Lake:
    """Our side: the bucket, the catalog, and the tables that a merge goes into: the catalog's, or a draft's."""

    s3: "S3Client"
    landing: Landing
    store: Store
    catalog: Catalog
    draft: Draft | None = None

    @property
    def tables(self) -> Catalog | Draft:
        """Where a merge finds and publishes a table."""
        return self.draft or self.catalog


def merge_batch(
    manifest: Manifest,
    name: str,
    lake: Lake,
    settings: Settings,
    folder: Path,
    check_lease: Callable[[], None],
    elapsed: Callable[[], float],
    *,
    goes_on: bool = False,
    is_replay: bool = False,
) -> dict[str, Any]:
    """Merge a batch and publish it; return what was counted (`read`, `new`, `known`, …).

    `name` is the last folder of the files that are written: no two merges of different batches share one, so that no
    file that a reader may see is ever written over. `check_lease` is called right before publishing. `elapsed` tells
    the seconds since the call began; a call after one that was unfinished `goes_on`. A replay also merges into what
    somebody has deleted, which brings it back.

    Raises:
        Unfinished: call again, to go on with the days that are left.
        Unloadable: trying again changes nothing, and nothing was published.
        LostLease: another run may write the table now.
        CatalogRefused: Glue did not take a change; running the step again is safe.
    """
    check_size(manifest.bytes)
    export = export_type(manifest.export_type)
    table = lake.tables.table(export)
    if table is not None and manifest.batch_id in table.left_out:
        raise Unloadable(f"The table was rebuilt without batch {manifest.batch_id}, so it is not loaded again.")
    rows = Rows(
        export,
        _start(table, export, settings),
        settings.time_zone,
        datetime.fromisoformat(manifest.ordered_at),
        manifest.batch_id,
    )
    raw = RawObject(lake.s3, lake.store.bucket, manifest)
    threshold = Threshold(settings.quarantine_ratio, settings.quarantine_minimum)
    with engine.connect(folder) as duck:
        staged = parse.read(duck, lambda is_bold: pieces(unpacked(raw.read()), export, is_bold=is_bold), rows, folder)
        if staged.rejected:
            lake.store.upload(staged.rejects, keys.quarantine(export, name))
        threshold.check(staged.rejected, staged.rows)
        if not staged.rows:
            return _tally(staged, {}, rows.schema)
        rows = replace(rows, schema=staged.schema)
        if table is None:
            _check_chosen(settings.identity_fields.get(export.name, ()), rows.schema, export)
        merge = Merge(duck, rows, staged.runs)
        merge.check_key()
        progress = Progress(lake.store, export, name)
        merged = progress.read() if goes_on else {}
        before_this_call = len(merged)
        stored = _locations(lake.tables, export, table)
        for day in sorted(staged.runs.keys() - merged.keys()):
            if len(merged) > before_this_call and elapsed() >= _CALL_SECONDS:
                progress.write(merged)
                raise Unfinished
            before = lake.store.download(lake.store.prefix(stored[day]), folder / day) if day in stored else []
            if day in stored and not before and not is_replay:
                raise Unloadable(_gone(export, day, stored[day]))
            done = merge.into(day, before, folder)
            prefix = keys.day_prefix(export, day, name) if export.is_event else keys.entity_prefix(export, name)
            if done.files:
                lake.store.upload_all(done.files, prefix)
            location = lake.store.location(prefix) if done.files else None
            merged[day] = MergedDay(done.read, done.new, done.updated, location)
            for path in (*before, *done.files):
                path.unlink()
    published = {day: done.location for day, done in merged.items() if done.location is not None}
    if published:
        check_lease()
        if export.is_event:
            lake.tables.publish_days(export, table, rows.schema, rows.time_zone, published)
        else:
            lake.tables.publish_entity(export, table, rows.schema, rows.time_zone, published[ALL])
    return _tally(staged, merged, table.schema if table else Schema())


def _gone(export: ExportType, day: str, location: str) -> str:
    what = f"day {day} of the table {export.table}" if export.is_event else f"table {export.table}"
    return (
        f"The files of the {what} are gone: the catalog points to {location}, and nothing lies there. Merging into it "
        "would pass for the whole of it, so nothing was published. Replay the type without dates, which merges all of "
        "raw/ again; then run it as usual."
    )


def _locations(tables: Catalog | Draft, export: ExportType, table: Table | None) -> dict[str, str]:
    """Where what is stored lies, by day."""
    if table is None:
        return {}
    return tables.locations(export) if export.is_event else {ALL: table.location}


def _start(table: Table | None, export: ExportType, settings: Settings) -> Schema:
    """The schema to start from; what is frozen with a table is compared with the settings here."""
    chosen = settings.identity_fields.get(export.name, ())
    if table is None:
        return Schema(identity=chosen, identity_frozen=bool(chosen))
    if table.schema_version != SCHEMA_VERSION:
        raise Unloadable(
            f"The table {export.table} was made by another version of this software ({table.schema_version} and not "
            f"{SCHEMA_VERSION}), which told rows apart in another way: they would count twice. Make it anew from raw/ "
            "with replay --rebuild; until then it stays as it is."
        )
    if table.time_zone != settings.time_zone:
        raise Unloadable(
            f"The table's days are those of {table.time_zone}, and the setting timeZone now says {settings.time_zone}: "
            "every row would move. Set it back, or make the table anew with replay --rebuild."
        )
    if chosen and sorted(chosen) != sorted(table.schema.identity):
        raise Unloadable(
            f"The table tells its rows by {', '.join(table.schema.identity)}, and the setting identityFields now says "
            f"{', '.join(chosen)}: rows would count twice. Set it back, or make the table anew with replay --rebuild."
        )
    return table.schema


def _check_chosen(chosen: tuple[str, ...], schema: Schema, export: ExportType) -> None:
    """Refuse chosen fields that a new table's records do not have: a name with a typo would make all records one."""
    held = {column.source for column in schema.columns if column.kind is not Kind.NULL}
    missing = [name for name in chosen if name not in held]
    if missing:
        raise Unloadable(
            f"No record of this export has {', '.join(missing)}, which the setting identityFields names for "
            f"{export.name}. Its fields are {', '.join(sorted(held))[:300]}."
        )


def _tally(staged: Staged, merged: Mapping[str, MergedDay], before: Schema) -> dict[str, Any]:
    runs = [run for found in staged.runs.values() for run in found]
    known = {column.name for column in before.stored}
    days = {day: {"read": done.read, "new": done.new, "updated": done.updated} for day, done in merged.items()}
    return {
        "read": staged.rows,
        "new": sum(day.new for day in merged.values()),
        "known": sum(day.known for day in merged.values()),
        "updated": sum(day.updated for day in merged.values()),
        "rescued": sum(run.rescued for run in runs),
        "quarantined": staged.rejected,
        "unknownTime": sum(run.rows for run in staged.runs.get(keys.UNKNOWN_DAY, ())),
        "earliest": min((run.first for run in runs if run.first), default=None),
        "latest": max((run.last for run in runs if run.last), default=None),
        "newColumns": [column.name for column in staged.schema.stored if column.name not in known],
        "dayCount": len(days),
        "days": dict(sorted(days.items())[-_MOST_DAYS_TOLD:]),
    }
