"""Stages the pieces of a file under a schema and a profile, chunk by chunk, several chunks in parallel."""

import json
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Schema
from lambdas.lake.engine import THREADS, workers
from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Fields, Rejected
from lambdas.lake.formats.splitting import Piece, PieceFile, write_piece
from lambdas.lake.formats.wrapper_claims import Claims
from lambdas.lake.parsing.fast_path import FastPath
from lambdas.lake.parsing.layout import Layout
from lambdas.lake.parsing.text_rows import SCHEMA_CHANGED, typed
from lambdas.lake.parsing.texts import Texts
from lambdas.lake.profile.field_statistics import FieldStatistics
from lambdas.lake.profile.profile import Profile
from lambdas.lake.rows.sorted_files import Chunk, SortedFile
from lambdas.lake.rows.staging import Rows, staged
from lambdas.lake.storage.keys import UNKNOWN_DAY

# With so many, the engine's buffers of each column may be what exhausts the memory.
_WIDE_FIELDS = 200

# Sorted and written at once: one chunk for each worker fits the engine's memory.
_CHUNK_BYTES = 60 << 20


@dataclass(frozen=True)
class Staged:
    """The result of reading a file: sorted files by day, in the order of their rows in the file."""

    schema: Schema
    profile: Profile
    sorted_files: Mapping[str, tuple[SortedFile, ...]]
    rows: int
    rejected: int
    bytes: int
    """Of all records and what is between them."""
    rejected_bytes: int
    rejects: Path
    """Newline-delimited JSON: position and text of every rejected record."""

    @property
    def files(self) -> list[Path]:
        """Every sorted file."""
        return [file.path for files in self.sorted_files.values() for file in files]

    @property
    def unknown_times(self) -> int:
        """Rows without a usable time."""
        return sum(file.rows for file in self.sorted_files.get(UNKNOWN_DAY, ()))


class SchemaChanged(Exception):
    """A piece contradicts the inferred schema."""


class Stager:
    """Stages a file chunk by chunk, several chunks in parallel."""

    def __init__(
        self,
        engine: duckdb.DuckDBPyConnection,
        rows: Rows,
        sample: FieldStatistics,
        folder: Path,
        *,
        is_optimistic: bool = False,
        is_final: bool = False,
    ) -> None:
        """Prepare for a schema, which the file may still contradict unless it is final."""
        self._engine = engine
        self._rows = rows
        self._folder = folder
        self._is_final = is_final
        fast_path = FastPath(rows.schema, sample.texts, sample.escaped, sample.numbers)
        self._fast_path = fast_path if fast_path.is_usable else None
        self._texts = Texts(Layout(rows.schema, rows.profile), self._check_schema, is_optimistic=is_optimistic)
        # Entities come in any order.
        self._sorts = not rows.profile.has_days
        self._free: deque[Path] = deque()
        self._bytes = 0
        self._claims: Claims | None = None
        folder.mkdir(parents=True)

    def stage(self, pieces: Iterator[Piece]) -> Staged:
        """Stage all pieces.

        Raises:
            Unloadable: the file is broken, or its records have too many fields for the engine's memory.
        """
        try:
            return self._stage(pieces)
        except duckdb.OutOfMemoryException:
            fields = len(self._rows.schema.columns)
            if fields < _WIDE_FIELDS:
                raise
            raise Unloadable(
                f"The records have {fields:,} fields or more, which do not fit the memory: values seem to be used as "
                "names. Look at the file in raw/, and ask Symplify."
            ) from None

    def _stage(self, pieces: Iterator[Piece]) -> Staged:
        by_day: dict[str, list[SortedFile]] = {}
        rows = rejected = rejected_bytes = 0
        rejects = self._folder / "rejected.ndjson"
        with (
            rejects.open("wb") as rejects_file,
            workers(self._engine) as pool,
        ):
            waiting: deque[Future[_Done]] = deque()

            def settle() -> None:
                nonlocal rows, rejected, rejected_bytes
                done = waiting.popleft().result()
                for day, file in done.sorted_files.items():
                    by_day.setdefault(day, []).append(file)
                rows += done.rows
                rejected += len(done.rejected)
                rejected_bytes += sum(one.bytes for one in done.rejected)
                for one in done.rejected:
                    line = {"position": one.position, "text": one.text}
                    rejects_file.write(json.dumps(line).encode() + b"\n")

            for number, chunk in enumerate(self._chunks(pieces)):
                waiting.append(pool.submit(self._chunk, number, chunk))
                if len(waiting) > THREADS:
                    settle()
            while waiting:
                settle()
        if self._claims is not None:
            self._claims.check(rows + rejected)
        return Staged(
            schema=self._rows.schema,
            profile=self._rows.profile,
            sorted_files={day: tuple(found) for day, found in by_day.items()},
            rows=rows,
            rejected=rejected,
            bytes=self._bytes,
            rejected_bytes=rejected_bytes,
            rejects=rejects,
        )

    def _chunks(self, pieces: Iterator[Piece]) -> Iterator[list[PieceFile]]:
        """Write the pieces and group them into chunks: small ones at first, so that no worker waits."""
        chunk: list[PieceFile] = []
        made = 0
        for number, piece in enumerate(pieces):
            path = self._free.popleft() if self._free else self._folder / f"{number:06}.json"
            chunk.append(write_piece(piece, path))
            self._bytes += chunk[-1].bytes
            self._claims = piece.claims
            if len(chunk) > made // THREADS or sum(one.bytes for one in chunk) >= _CHUNK_BYTES:
                yield chunk
                chunk = []
                made += 1
        if chunk:
            yield chunk

    def _chunk(self, number: int, pieces: list[PieceFile]) -> "_Done":
        """Stage a chunk on the fast path where that proves lossless, else by the texts of its records."""
        with self._engine.cursor() as engine:
            chunk = Chunk(engine, self._rows, self._folder, f"{number:06}", sorts=self._sorts)
            rejected: list[Rejected] = []
            rows = self._read_fast(chunk, pieces)
            if rows is None:
                rows, rejected = self._read_texts(chunk, pieces)
            self._free.extend(piece.path for piece in pieces)
            sorted_files, came_sorted = chunk.sorted_files()
            # One unsorted chunk predicts more.
            self._sorts = self._sorts or not came_sorted
            return _Done(sorted_files, rows, rejected)

    def _read_fast(self, chunk: Chunk, pieces: list[PieceFile]) -> int | None:
        """Have the engine read pieces; return the number of rows, or None when the bytes do not reconcile."""
        fast_path = self._fast_path
        if fast_path is None:
            return None
        try:
            part, count = chunk.add(staged(self._rows, fast_path.source(pieces)))
        except duckdb.OutOfMemoryException:
            raise
        except (duckdb.Error, UnicodeDecodeError):
            # The engine refuses something in the records. Its message may truncate one inside a character.
            pass
        else:
            if fast_path.adds_up(chunk.engine, part, pieces):
                return count
            chunk.undo()
        # One such chunk predicts more.
        self._fast_path = None
        return None

    def _read_texts(self, chunk: Chunk, pieces: list[PieceFile]) -> tuple[int, list[Rejected]]:
        """Read the texts of the records and have the engine type them; return the number of rows, and what is none."""
        file = pieces[0].path.with_suffix(".texts")
        lines = self._texts.write((piece.load() for piece in pieces), file)
        try:
            added = chunk.add(typed(self._rows, lines, is_final=self._is_final))[1] if lines.records else 0
        except duckdb.InvalidInputException as error:
            if SCHEMA_CHANGED in str(error):
                raise SchemaChanged from None
            raise
        file.unlink()
        if added != lines.records:
            raise Unloadable(f"The engine read {added} records where there are {lines.records}: nothing was published.")
        return added, lines.rejected

    def _check_schema(self, fields: Fields) -> None:
        """Raise when a record contradicts the inferred schema."""
        schema, found = self._rows.schema, json_records.kinds(fields)
        if self._is_final or schema.foresees(found):
            return
        if schema.widened(found, self._rows.profile.is_id) != schema:
            raise SchemaChanged


@dataclass(frozen=True)
class _Done:
    """The result of staging a chunk."""

    sorted_files: Mapping[str, SortedFile]
    rows: int
    rejected: list[Rejected]
