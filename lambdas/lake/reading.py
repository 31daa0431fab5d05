"""From the pieces of a file to staged rows, under a schema that is right for all of it.

The schema is guessed from the first piece (and from the table, whose columns are frozen) and proven by the rest. When a
later piece shows something else, the whole file is surveyed and read once more.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path

import duckdb

from lambdas.lake import careful
from lambdas.lake.careful import Fields, Rejected
from lambdas.lake.containers import Piece
from lambdas.lake.errors import Unloadable
from lambdas.lake.schema import Kind, Schema, choose_identity, join
from lambdas.lake.staging import Rows, stage, stage_normalised, write_piece
from lambdas.lake.strict import StrictReader
from lambdas.symplify.vocabulary import ExportType

# Enough records to guess a schema by; the rest of the file proves it.
_SAMPLE_RECORDS = 1000

Pieces = Callable[[], Iterator[Piece]]
"""Cuts the file into pieces, from the start, as often as it is called."""


@dataclass(frozen=True)
class Threshold:
    """How many records may be no records before the export is refused."""

    ratio: float
    minimum: int

    def check(self, rejected: int, good: int) -> None:
        """Check the count of what was read.

        Raises:
            Unloadable: so many are too many, or no good record is left.
        """
        if rejected > max(self.minimum, self.ratio * (rejected + good)) or (rejected and not good):
            raise Unloadable(
                f"{rejected} of {rejected + good} records are no JSON objects, which is more than the settings "
                "quarantineRatio and quarantineMinimum allow. They stand in quarantine with their positions."
            )


@dataclass(frozen=True)
class Staged:
    """What came of reading a file."""

    schema: Schema
    files: tuple[Path, ...]
    rows: int
    rejected: int
    rejects: Path
    """Newline-delimited JSON: position and text of what is no record."""


class _SchemaChanged(Exception):
    """A piece holds what the schema did not foresee."""


@dataclass
class _Census:
    """What is known of a file's fields so far."""

    records: int = 0
    kinds: dict[str, Kind] = field(default_factory=dict)
    with_value: dict[str, int] = field(default_factory=dict)

    def add(self, fields: Fields) -> None:
        self.records += 1
        for name, kind in careful.kinds(fields).items():
            self.kinds[name] = join(self.kinds.get(name, Kind.NULL), kind)
            if kind is not Kind.NULL:
                self.with_value[name] = self.with_value.get(name, 0) + 1

    def schema(self, known: Schema, export: ExportType) -> Schema:
        grown = known.widened(self.kinds, export)
        if known.identity_frozen or not self.records:
            return grown
        always = (name for name, count in self.with_value.items() if count == self.records)
        identity, is_key = choose_identity(export, self.with_value, always)
        return replace(grown, identity=identity, identity_is_key=is_key)


def read(engine: duckdb.DuckDBPyConnection, pieces: Pieces, rows: Rows, folder: Path) -> Staged:
    """Stage every record of a file; `rows.schema` is what the table has so far.

    Raises:
        Unloadable: the file is broken.
    """
    known = rows.schema
    sample = _Census()
    first = (found for piece in islice(pieces(), 1) for found in careful.read(piece))
    for found in islice(first, _SAMPLE_RECORDS):
        if not isinstance(found, Rejected):
            sample.add(found)
    guessed = replace(rows, schema=sample.schema(known, rows.export))
    try:
        staged = _stage_all(engine, pieces, guessed, folder / "guessed", is_final=False)
    except _SchemaChanged:
        shutil.rmtree(folder / "guessed")
        surveyed = replace(rows, schema=_survey(pieces, known, rows.export))
        staged = _stage_all(engine, pieces, surveyed, folder / "surveyed", is_final=True)
    return staged


def _survey(pieces: Pieces, known: Schema, export: ExportType) -> Schema:
    census = _Census()
    for piece in pieces():
        for found in careful.read(piece):
            if not isinstance(found, Rejected):
                census.add(found)
    return census.schema(known, export)


def _stage_all(
    engine: duckdb.DuckDBPyConnection, pieces: Pieces, rows: Rows, folder: Path, *, is_final: bool
) -> Staged:
    """Stage the pieces, one core checking a piece while the other has the engine read the one before."""
    folder.mkdir(parents=True)
    strict = StrictReader(rows.schema, rows.export.event_time)
    rejects = folder / "rejected.ndjson"
    files: list[Path] = []
    total = rejected = 0
    with rejects.open("wb") as rejects_file, ThreadPoolExecutor(max_workers=1) as engine_thread:

        def quick(piece: Piece, target: Path, count: int) -> int | None:
            source = target.with_suffix(".json")
            write_piece(piece, source)
            staged = _try_stage(engine, rows, source, piece.is_array, target, count)
            source.unlink()
            return staged

        def slow(piece: Piece, target: Path) -> int:
            nonlocal rejected
            source, count = target.with_suffix(".json"), 0
            with source.open("wb") as normalised:
                for found in careful.read(piece):
                    if isinstance(found, Rejected):
                        rejected += 1
                        line = {"position": found.position, "text": found.text}
                        rejects_file.write(json.dumps(line).encode() + b"\n")
                        continue
                    if not is_final:
                        _check(found, rows)
                    normalised.write(careful.normalised(found, rows.schema, rows.export.event_time) + b"\n")
                    count += 1
            if count:
                _same(count, engine_thread.submit(stage_normalised, engine, rows, source, target).result())
            source.unlink()
            return count

        def settle(piece: Piece, target: Path, staging: Future[int | None] | None) -> None:
            nonlocal total
            count = staging.result() if staging is not None else None
            if count is None:
                count = slow(piece, target)
            files.extend([target] if count else [])
            total += count

        before: tuple[Piece, Path, Future[int | None] | None] | None = None
        for number, piece in enumerate(pieces()):
            target = folder / f"{number:06}.parquet"
            count = strict.count(piece)
            if before is not None:
                settle(*before)
            before = (piece, target, None if count is None else engine_thread.submit(quick, piece, target, count))
        if before is not None:
            settle(*before)
    return Staged(rows.schema, tuple(files), total, rejected, rejects)


def _try_stage(
    engine: duckdb.DuckDBPyConnection, rows: Rows, source: Path, is_array: bool, target: Path, count: int
) -> int | None:
    """Stage a checked piece; None when the engine sees something in it that the check does not (a repeated name)."""
    try:
        staged = stage(engine, rows, [source], is_array, target)
    except (duckdb.Error, UnicodeDecodeError):
        # The engine's message shows the record and cuts it, maybe within a letter, and then is no text itself.
        target.unlink(missing_ok=True)
        return None
    _same(count, staged)
    return count


def _check(fields: Fields, rows: Rows) -> None:
    """Stop when a record holds what the guessed schema lacks."""
    schema = rows.schema
    found = careful.kinds(fields)
    if not schema.foresees(found) and schema.widened(found, rows.export) != schema:
        raise _SchemaChanged
    # The key of a new table is one only if every record has it.
    must_have = schema.identity if schema.identity_is_key and not schema.identity_frozen else ()
    if not all(careful.has_value(fields, name) for name in must_have):
        raise _SchemaChanged


def _same(expected: int, staged: int) -> None:
    if expected != staged:
        raise Unloadable(f"The engine read {staged} records where there are {expected}: nothing was published.")
