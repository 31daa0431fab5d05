"""Load a landed batch: from raw/ to rows that readers see."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lambdas.lake import engine, keys, reading
from lambdas.lake.catalog import Catalog, Table
from lambdas.lake.containers import pieces
from lambdas.lake.errors import LostLease, Unloadable
from lambdas.lake.landing import Landing, Manifest
from lambdas.lake.merge import Contents, Merge, Merged
from lambdas.lake.reading import Staged, Threshold
from lambdas.lake.schema import Schema
from lambdas.lake.source import RawObject, unpacked
from lambdas.lake.staging import Rows
from lambdas.lake.store import Store
from lambdas.lake.tidy import tidy
from lambdas.ledger import LOADED, Ledger
from lambdas.run import Execution, RunState
from lambdas.settings import Settings

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client


@dataclass(frozen=True)
class Lake:
    """Our side: the bucket and the catalog."""

    s3: "S3Client"
    landing: Landing
    store: Store
    catalog: Catalog


def load(state: RunState, run: Execution, ledger: Ledger, lake: Lake, settings: Settings, folder: Path) -> RunState:
    """Return the state with outcome `loaded` or `failed`; nothing is visible to readers before all of it is.

    Raises:
        BadInput: the state has no batch.
        LostLease: another run may write the table now.
        CatalogRefused: Glue did not take a change; running the step again is safe.
    """
    ordered_at, batch_id = state.age
    export = state.export
    manifest = lake.landing.manifest(export, ordered_at, batch_id)
    if manifest is None:
        return replace(state, outcome="failed", reason="Nothing has landed of this batch, so there is nothing to load.")
    table = lake.catalog.table(export)
    try:
        _check_zone(table, settings)
        rows = Rows(
            export,
            table.schema if table else Schema(),
            settings.time_zone,
            datetime.fromisoformat(manifest.ordered_at),
            manifest.batch_id,
        )
        tally = _load(rows, manifest, run, ledger, lake, table, settings, folder)
    except Unloadable as error:
        return replace(state, outcome="failed", reason=str(error))
    ledger.mark_batch(batch_id, LOADED)
    retention = timedelta(hours=settings.superseded_retention_hours)
    tidy(export, lake.store, lake.catalog, retention, datetime.now(UTC))
    return replace(state, outcome="loaded", bytes=manifest.bytes, rows=tally["read"], tally=tally, wait_seconds=None)


def _load(
    rows: Rows,
    manifest: Manifest,
    run: Execution,
    ledger: Ledger,
    lake: Lake,
    table: Table | None,
    settings: Settings,
    folder: Path,
) -> Mapping[str, Any]:
    export = rows.export
    raw = RawObject(lake.s3, lake.store.bucket, manifest)
    threshold = Threshold(settings.quarantine_ratio, settings.quarantine_minimum)
    with engine.connect(folder) as duck:
        staged = reading.read(duck, lambda: pieces(unpacked(raw.read()), export), rows, folder)
        if staged.rejected:
            lake.store.upload(staged.rejects, keys.quarantine(export, run.folder))
        threshold.check(staged.rejected, staged.rows)
        if not staged.rows:
            return _tally(staged, None, {}, rows.schema)
        rows = replace(rows, schema=staged.schema)
        merge = Merge(duck, rows, staged.files)
        merge.check_key()
        contents = merge.contents()
        merged: dict[str, Merged] = {}
        published: dict[str, str] = {}
        stored = lake.catalog.locations(export) if export.is_event else {}
        for day in contents.days if export.is_event else (None,):
            where = stored.get(day) if day is not None else (table.location if table else None)
            work = folder / (day or "all")
            before = lake.store.download(lake.store.prefix(where), work) if where else []
            done = merge.into(day, before, folder / "merged.parquet")
            merged[day or "all"] = done
            if done.file is not None:
                prefix = keys.day_prefix(export, day, run.folder) if day else keys.entity_prefix(export, run.folder)
                lake.store.upload(done.file, f"{prefix}part.parquet")
                published[day or "all"] = lake.store.location(prefix)
                done.file.unlink()
            for path in before:
                path.unlink()
    if published:
        _hold_lease(ledger, run)
        if export.is_event:
            lake.catalog.publish_days(export, table, rows.schema, rows.time_zone, published)
        else:
            lake.catalog.publish_entity(export, table, rows.schema, rows.time_zone, published["all"])
    return _tally(staged, contents, merged, table.schema if table else Schema())


def _check_zone(table: Table | None, settings: Settings) -> None:
    if table is not None and table.time_zone != settings.time_zone:
        raise Unloadable(
            f"The table's days are those of {table.time_zone}, and the setting timeZone now says {settings.time_zone}: "
            "every row would move. Set it back, or rebuild the tables from raw."
        )


def _hold_lease(ledger: Ledger, run: Execution) -> None:
    lease = ledger.lease()
    if lease is None or lease.owner != run.arn:
        raise LostLease("Another run holds this export type's lease now, so this one published nothing.")


def _tally(staged: Staged, contents: Contents | None, merged: Mapping[str, Merged], before: Schema) -> dict[str, Any]:
    known = {column.name for column in before.stored}
    return {
        "read": staged.rows,
        "new": sum(day.new for day in merged.values()),
        "known": sum(day.known for day in merged.values()),
        "updated": sum(day.updated for day in merged.values()),
        "rescued": contents.rescued if contents else 0,
        "quarantined": staged.rejected,
        "unknownTime": contents.unknown_time if contents else 0,
        "earliest": contents.earliest if contents else None,
        "latest": contents.latest if contents else None,
        "newColumns": [column.name for column in staged.schema.stored if column.name not in known],
        "days": {day: {"read": done.read, "new": done.new, "updated": done.updated} for day, done in merged.items()},
    }
