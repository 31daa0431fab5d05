"""Reads one piece in each way, and schemas for it."""

from collections.abc import Iterable
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import duckdb

from lambdas.lake import engine
from lambdas.lake.column_types import Column, Kind, Schema
from lambdas.lake.formats.splitting import Piece, write_piece
from lambdas.lake.parsing.fast_path import FastPath
from lambdas.lake.parsing.layout import Layout
from lambdas.lake.parsing.text_rows import typed
from lambdas.lake.parsing.texts import Texts
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.rows.sorted_files import Chunk
from lambdas.lake.rows.staging import Rows, staged
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
    """Each way stages a piece into a separate chunk and returns its rows."""

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
        """None where it falls back."""
        fast_path = FastPath(rows.schema, texts, escaped, numbers)
        if not fast_path.is_usable:
            return None
        file = write_piece(piece, self.folder / "fast.json")
        with self.engine.cursor() as cursor:
            try:
                part, _ = self._chunk(cursor, rows).add(staged(rows, fast_path.source([file])))
            except (duckdb.Error, UnicodeDecodeError):
                return None
            return read(cursor, part) if fast_path.adds_up(cursor, part, [file]) else None

    def read_texts(self, piece: Piece, rows: Rows, *, all_odd: bool = False) -> list[str]:
        """By their texts; `all_odd` has Python take every record apart."""
        none_is_regular = patch.object(Texts, "_regular", return_value=None)
        with none_is_regular if all_odd else nullcontext():
            lines = self.texts(rows).write([piece], self.folder / "piece.texts")
        assert not lines.rejected
        with self.engine.cursor() as cursor:
            part, added = self._chunk(cursor, rows).add(typed(rows, lines, is_final=True))
            found = read(cursor, part)
        assert len(found) == lines.records == added
        return found

    def row(self, piece: Piece, rows: Rows) -> dict[str, Any]:
        """The only record's, by column."""
        return self.rows(piece, rows)[0]

    def rows(self, piece: Piece, rows: Rows) -> list[dict[str, Any]]:
        """Every record's, by column, in any order."""
        made = typed(rows, self.texts(rows).write([piece], self.folder / "piece.texts"), is_final=True)
        with self.engine.cursor() as cursor:
            found = cursor.execute(made)
            names = [column for column, *_ in found.description or ()]
            return [dict(zip(names, values, strict=True)) for values in found.fetchall()]

    def texts(self, rows: Rows) -> Texts:
        return Texts(Layout(rows.schema, rows.profile), lambda _: None)

    def _chunk(self, cursor: duckdb.DuckDBPyConnection, rows: Rows) -> Chunk:
        return Chunk(cursor, rows, self.folder, "chunk")


def read(duck: duckdb.DuckDBPyConnection, part: Path) -> list[str]:
    return sorted(map(repr, duck.execute(f"FROM {engine.parquet([part])}").fetchall()))


def rows_of(schema: Schema, profile: Profile = PROFILE) -> Rows:
    return Rows(OPENS, schema, profile, "Europe/Stockholm", datetime(2024, 3, 1, tzinfo=UTC), "b'1")
