"""Read a file as the load does, into a temporary folder, and gather what there is to see.

Only the load's own code decides: `parse.read` with an `Inference`, then the checks, the merge and the audit of
`merge_batch`.
"""

import gzip
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Schema
from lambdas.lake.errors import Contradiction, Undecided, Unloadable
from lambdas.lake.formats.json_records import Fields
from lambdas.lake.formats.splitting import Piece, pieces
from lambdas.lake.parsing import parse
from lambdas.lake.parsing.stager import Staged
from lambdas.lake.parsing.threshold import Threshold
from lambdas.lake.profile.audit import Counts
from lambdas.lake.profile.evidence import Evidence, Scope, candidates, of_files
from lambdas.lake.profile.inference import Inference
from lambdas.lake.profile.profile import Profile
from lambdas.lake.profile.sample import sample_of
from lambdas.lake.rows.staging import Rows
from lambdas.lake.storage.landing import Manifest
from lambdas.lake.storage.raw_object import check_size, unpacked
from lambdas.lake.tables.glue_tables import Table, frozen
from lambdas.settings import Settings
from lambdas.steps.audited import audited, prepared
from lambdas.steps.new_profile import inference
from lambdas.steps.table_checks import window_of
from lambdas.vocabulary import ExportType
from local.profiling.fields import Seen, seen
from local.profiling.options import Order

_BLOCK_BYTES = 4 << 20
_GZIP, _BOM = b"\x1f\x8b", b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Known:
    """What earlier files of the same export type have made: a table in a temporary folder."""

    table: Table | None = None
    files: Mapping[str, tuple[Path, ...]] = field(default_factory=dict)
    """The table's, by day."""
    loaded: "tuple[Reading, ...]" = ()
    """The files that the table is made of."""
    undecided: tuple[tuple[Manifest, tuple[Fields, ...]], ...] = ()
    """Earlier files that left it open, each with a sample: a small table gathers evidence over several."""


@dataclass(frozen=True)
class Reading:
    """What was seen of a file."""

    file: Path
    export: ExportType
    order: Order | None
    container: str
    sample: tuple[Fields, ...]
    fields: dict[str, Seen]
    """Of the sample."""
    scope: Scope
    rows: Rows
    staged: Staged | None = None
    """None when the file cannot be read to its end."""
    evidence: Evidence | None = None
    """Of all records."""
    profile: Profile | None = None
    """None when the records do not support one, or when there are none."""
    problem: str | None = None
    """Why it cannot be loaded, as the load says it, with the names and the text of the file."""

    is_contradiction: bool = False
    """Whether it disagrees with the files before it, and not by rows that it has too often."""
    is_reprofiled: bool = False
    """Whether its profile was decided again, since an overlap contradicted that of the files before it."""
    made: Known | None = None
    """The table after this file; None when it cannot be loaded, or has no records."""

    @property
    def manifest(self) -> Manifest:
        """The facts that the load would find beside the file."""
        return _manifest(self.file, self.export, self.order)

    def after(self, known: Known) -> Known:
        """What is known of the export type after this file."""
        if self.is_undecided:
            return Known(undecided=(*known.undecided, (self.manifest, self.sample)))
        return self.made or known

    @property
    def is_undecided(self) -> bool:
        """Whether the file is sound, and its records do not say what their fields are."""
        return self.staged is not None and self.staged.rows > 0 and self.profile is None


def read(
    engine: duckdb.DuckDBPyConnection,
    file: Path,
    export: ExportType,
    order: Order | None,
    *,
    known: Known,
    settings: Settings,
    folder: Path,
) -> Reading:
    """Read a file; `folder` is an empty one for temporary files, which hold its rows until it is removed."""
    manifest = _manifest(file, export, order)
    earlier = [(sample_of(records), window_of(one)) for one, records in known.undecided]
    deciding = inference(export, settings, manifest, [one for one, _ in known.undecided], earlier)
    table = known.table
    rows = Rows(
        export=export,
        schema=Schema() if table is None else frozen(table.schema.stored),
        profile=Profile() if table is None else table.profile,
        time_zone=settings.time_zone,
        ordered_at=datetime.fromisoformat(manifest.ordered_at),
        batch_id=manifest.batch_id,
    )
    sample = _sample(file, export)
    made = Reading(
        file=file,
        export=export,
        order=order,
        container=_container(file, export),
        sample=sample,
        fields=seen(sample),
        scope=deciding.scope,
        rows=rows,
        profile=None if table is None else table.profile,
    )
    try:
        check_size(manifest.bytes)
        made = _decided(engine, made, deciding if table is None else None, folder)
        if made.problem is None:
            made = replace(made, made=merged(engine, made, known, settings, folder))
    except Unloadable as error:
        is_contradiction = isinstance(error, Contradiction) and not error.is_inflated
        made = replace(made, problem=str(error), is_contradiction=is_contradiction)
    except duckdb.Error as error:
        # Without its text, which may quote a record.
        return replace(made, problem=f"The engine cannot read it ({type(error).__name__}), and the load would fail.")
    return replace(made, evidence=evidence(engine, made)) if made.staged is not None else made


def _decided(engine: duckdb.DuckDBPyConnection, made: Reading, deciding: Inference | None, folder: Path) -> Reading:
    """The reading with its rows staged, and its profile where the records say so."""
    whole = partial(split, made.file, made.export)
    try:
        staged = parse.read(engine, whole, made.rows, folder / "load", deciding)
    except Undecided as error:
        # Staged without a profile, for what there is to see.
        staged = parse.read(engine, whole, made.rows, folder / "undecided")
        return replace(made, staged=staged, problem=str(error))
    return replace(made, staged=staged, profile=staged.profile if staged.rows else made.profile)


def merged(
    engine: duckdb.DuckDBPyConnection, made: Reading, known: Known, settings: Settings, folder: Path
) -> Known | None:
    """The table with the file's rows, checked and merged as `merge_batch` does it.

    Raises:
        Unloadable: a check fails, or the file contradicts the table.
    """
    staged = made.staged
    assert staged is not None  # noqa: S101 - it is decided
    Threshold(settings.quarantine_ratio, settings.quarantine_minimum).check(staged)
    if not staged.rows:
        return None
    table, rows = known.table, replace(made.rows, schema=staged.schema, profile=staged.profile)
    export, merge = prepared(
        engine,
        rows,
        table,
        staged,
        manifest=made.manifest,
        settings=settings,
        is_alone=table is None and not known.undecided and not made.is_reprofiled,
        newest_days=(stored for _, stored in sorted(known.files.items(), reverse=True) if stored),
    )
    files, overlap = dict(known.files), Counts()
    for day in sorted(staged.sorted_files):
        work = folder / "merged" / day
        work.mkdir(parents=True)
        done = merge.into(day, list(files.get(day, ())), work)
        overlap += done.overlap
        files[day] = done.files or files.get(day, ())
    table = audited(rows, table, export, overlap)
    return Known(table, files, (*known.loaded, made))


def evidence(engine: duckdb.DuckDBPyConnection, made: Reading) -> Evidence:
    """What all of the staged rows hold, at every path that the sample has."""
    staged = made.staged
    if staged is None or not staged.files:
        return Evidence(0, 0)
    named = (*made.profile.times, *made.profile.identity) if made.profile is not None else ()
    paths = dict.fromkeys((*made.fields, *(column.source for column in staged.schema.stored), *named))
    formats = candidates(sample_of(made.sample))
    # All of them, also those that are nothing to the load.
    scope = replace(made.scope, chosen=frozenset(paths))
    return of_files(engine, staged.files, staged.schema, paths=paths, formats=formats, scope=scope)


def _manifest(file: Path, export: ExportType, order: Order | None) -> Manifest:
    at = order.at if order is not None else datetime.fromtimestamp(file.stat().st_mtime, UTC)
    return Manifest(
        export_type=export.name,
        batch_id=file.name,
        ordered_at=at.isoformat(timespec="microseconds"),
        # None of Symplify's: a window that is not known.
        period=order.period.value if order is not None else "",
        run="",
        key=file.name,
        bytes=file.stat().st_size,
    )


def split(file: Path, export: ExportType, is_optimistic: bool) -> Iterator[Piece]:
    return pieces(unpacked(_blocks(file)), export, is_optimistic=is_optimistic)


def _blocks(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        while block := opened.read(_BLOCK_BYTES):
            yield block


def _sample(file: Path, export: ExportType) -> tuple[Fields, ...]:
    """The records of the file's beginning; none when that cannot be read, which the load says then."""
    try:
        return tuple(parse.first_records(split(file, export, is_optimistic=False)))
    except Unloadable:
        return ()


def _container(file: Path, export: ExportType) -> str:
    """How the records are packed: `array`, `ndjson`, `wrapper`, `empty` or `unknown`, then `.gz` and `.bom`."""
    with file.open("rb") as opened:
        packing = ".gz" if opened.read(len(_GZIP)) == _GZIP else ""
    try:
        head = b""
        for block in unpacked(_blocks(file)):
            head = block.lstrip()
            if head:
                break
        kind = _kind(file, export, head)
    except Unloadable:
        kind = "unknown"
    return kind + packing + (".bom" if _has_bom(file, packing) else "")


def _kind(file: Path, export: ExportType, head: bytes) -> str:
    if not head.startswith(b"{"):
        return "array" if head.startswith(b"[") else "unknown" if head else "empty"
    first = next(split(file, export, is_optimistic=False), None)
    return "ndjson" if first is not None and not first.is_array else "wrapper"


def _has_bom(file: Path, packing: str) -> bool:
    try:
        with file.open("rb") as raw:
            opened = gzip.GzipFile(fileobj=raw) if packing else raw
            return opened.read(len(_BOM)) == _BOM
    except (EOFError, OSError, zlib.error):
        return False
