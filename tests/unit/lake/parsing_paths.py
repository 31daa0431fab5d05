"""The three ways from a piece to rows, side by side, and schemas to try them with."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from lambdas.lake import engine
from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Rejected
from lambdas.lake.formats.splitting import Piece, write_piece
from lambdas.lake.parsing import record_path
from lambdas.lake.parsing.fast_path import FastPath
from lambdas.lake.parsing.validated_path import ValidatedPath
from lambdas.lake.rows.sorted_files import Chunk
from lambdas.lake.rows.staging import Rows, records, staged, staged_normalised
from lambdas.lake.schema import Column, Kind, Schema
from lambdas.vocabulary import EXPORT_TYPES

OPENS = EXPORT_TYPES["OPENS"]

PLAIN = Schema(
    columns=(
        Column("eventId", "event_id", Kind.BIGINT),
        Column("contactId", "contact_id", Kind.STRING),
        Column("timestamp", "timestamp", Kind.STRING),
        Column("rate", "rate", Kind.DOUBLE),
        Column("ok", "ok", Kind.BOOLEAN),
    ),
    identity=("eventId", "contactId"),
)


WITHOUT_FRACTIONS = replace(PLAIN, columns=tuple(one for one in PLAIN.columns if one.kind is not Kind.DOUBLE))


class Ways:
    """The ways of staging, each into a chunk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = engine.connect(folder)

    def quick(self, piece: Piece, rows: Rows, texts: Iterable[str], escaped: Iterable[str] = ()) -> list[str] | None:
        fast_path = FastPath(rows.schema, texts, escaped)
        if not (fast_path.is_usable and ValidatedPath(rows.schema, OPENS.event_time).is_usable):
            return None
        file = write_piece(piece, self.folder / "quick.json")
        with self.engine.cursor() as own:
            try:
                part, _ = self.chunk(own, rows).add(staged(rows, fast_path.source([file])))
            except (duckdb.Error, UnicodeDecodeError):
                return None
            return read(own, part) if fast_path.adds_up(own, part, [file]) else None

    def strict(self, piece: Piece, rows: Rows) -> list[str] | None:
        count = ValidatedPath(rows.schema, OPENS.event_time).count(piece)
        if count is None:
            return None
        file = write_piece(piece, self.folder / "strict.json")
        with self.engine.cursor() as own:
            try:
                part, added = self.chunk(own, rows).add(staged(rows, records([file], rows.schema)))
            except (duckdb.InvalidInputException, UnicodeDecodeError):
                return None
            found = read(own, part)
        assert len(found) == count == added
        return found

    def careful(self, piece: Piece, rows: Rows) -> list[str]:
        found = list(json_records.read(piece))
        assert not any(isinstance(one, Rejected) for one in found)
        content = [
            record_path.normalised(one, rows.schema, OPENS.event_time) for one in found if not isinstance(one, Rejected)
        ]
        (self.folder / "record_path.json").write_bytes(b"\n".join(content))
        with self.engine.cursor() as own:
            part, added = self.chunk(own, rows).add(staged_normalised(rows, self.folder / "record_path.json"))
            carefully = read(own, part)
        assert len(carefully) == len(found) == added
        return carefully

    def chunk(self, own: duckdb.DuckDBPyConnection, rows: Rows) -> Chunk:
        return Chunk(own, rows, self.folder, "chunk")


def read(duck: duckdb.DuckDBPyConnection, part: Path) -> list[str]:
    return sorted(map(repr, duck.execute(f"FROM {engine.parquet([part])}").fetchall()))


def rows_of(schema: Schema) -> Rows:
    return Rows(OPENS, schema, "Europe/Stockholm", datetime(2024, 3, 1, tzinfo=UTC), "b'1")
