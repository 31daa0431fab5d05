"""Runs the three parsing paths on one piece, and schemas for it."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from lambdas.lake import engine
from lambdas.lake.column_types import Column, Kind, Schema
from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Rejected
from lambdas.lake.formats.splitting import Piece, write_piece
from lambdas.lake.parsing import record_path
from lambdas.lake.parsing.fast_path import FastPath
from lambdas.lake.parsing.validated_path import ValidatedPath
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.rows.sorted_files import Chunk
from lambdas.lake.rows.staging import Rows, records, staged, staged_normalised
from lambdas.vocabulary import EXPORT_TYPES, TimeFormat

OPENS = EXPORT_TYPES["OPENS"]

PLAIN = Schema(
    columns=(
        Column("eventId", "event_id", Kind.BIGINT),
        Column("contactId", "contact_id", Kind.ID),
        Column("timestamp", "timestamp", Kind.STRING),
        Column("rate", "rate", Kind.DOUBLE),
        Column("ok", "ok", Kind.BOOLEAN),
    ),
)
PROFILE = Profile(
    event_time=(EventTime("timestamp", TimeFormat.ISO_8601, "UTC"),),
    identity=("contactId",),
    roles={"contact": "contactId"},
)


WITHOUT_FRACTIONS = replace(PLAIN, columns=tuple(column for column in PLAIN.columns if column.kind is not Kind.DOUBLE))


class ParsingPaths:
    """Each path stages a piece into a separate chunk and returns its rows, or None where it falls back."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = engine.connect(folder)

    def read_fast(
        self,
        piece: Piece,
        rows: Rows,
        texts: Iterable[str],
        escaped: Iterable[str] = (),
        numbers: Iterable[str] = (),
    ) -> list[str] | None:
        fast_path = FastPath(rows.schema, texts, escaped, numbers)
        if not (fast_path.is_usable and ValidatedPath(rows.schema).is_usable):
            return None
        file = write_piece(piece, self.folder / "fast.json")
        with self.engine.cursor() as cursor:
            try:
                part, _ = self._chunk(cursor, rows).add(staged(rows, fast_path.source([file])))
            except (duckdb.Error, UnicodeDecodeError):
                return None
            return read(cursor, part) if fast_path.adds_up(cursor, part, [file]) else None

    def read_validated(self, piece: Piece, rows: Rows) -> list[str] | None:
        count = ValidatedPath(rows.schema).count(piece)
        if count is None:
            return None
        file = write_piece(piece, self.folder / "validated.json")
        with self.engine.cursor() as cursor:
            try:
                part, added = self._chunk(cursor, rows).add(staged(rows, records([file], rows.schema)))
            except (duckdb.Error, UnicodeDecodeError):
                return None
            found = read(cursor, part)
        assert len(found) == count == added
        return found

    def read_records(self, piece: Piece, rows: Rows) -> list[str]:
        found = list(json_records.read(piece))
        assert not any(isinstance(one, Rejected) for one in found)
        content = [
            record_path.normalised(one, rows.schema, rows.profile) for one in found if not isinstance(one, Rejected)
        ]
        (self.folder / "record_path.json").write_bytes(b"\n".join(content))
        with self.engine.cursor() as cursor:
            part, added = self._chunk(cursor, rows).add(staged_normalised(rows, self.folder / "record_path.json"))
            rows_read = read(cursor, part)
        assert len(rows_read) == len(found) == added
        return rows_read

    def _chunk(self, cursor: duckdb.DuckDBPyConnection, rows: Rows) -> Chunk:
        return Chunk(cursor, rows, self.folder, "chunk")


def read(duck: duckdb.DuckDBPyConnection, part: Path) -> list[str]:
    return sorted(map(repr, duck.execute(f"FROM {engine.parquet([part])}").fetchall()))


def rows_of(schema: Schema, profile: Profile = PROFILE) -> Rows:
    return Rows(OPENS, schema, profile, "Europe/Stockholm", datetime(2024, 3, 1, tzinfo=UTC), "b'1")
