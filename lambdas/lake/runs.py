"""Runs: the rows of a chunk as sorted files, one a day, in the form in which a table stores them.

A day that comes in one run, or in runs that follow each other in time, needs no other file: the runs are published.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

from lambdas.lake.engine import name, text, timestamp
from lambdas.lake.keys import UNKNOWN_DAY
from lambdas.lake.schema import BATCH_ID, DAY, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID, Schema
from lambdas.lake.staging import ENGINE_TYPES, Rows, identity, stored_columns
from lambdas.symplify.vocabulary import ExportType

ALL = "all"
"""In the place of a day, for an entity table."""
# The engine writes row groups side by side and Athena reads them so; these are some ten megabytes each.
_ROW_GROUP_ROWS = 122_880
# Law 9 of the design: the types that every reader takes as meant.
_PARQUET_TYPES = ("UTF8", "INT_64", "DOUBLE", "BOOLEAN", "TIMESTAMP_MICROS")


class WrongType(Exception):
    """The engine wrote a type that Athena may misread: a mistake in the code, so nothing is published."""


@dataclass(frozen=True)
class Run:
    """A sorted file, with its rows, its first and last event (as text that sorts like time, in UTC), and counts."""

    file: Path
    rows: int
    rescued: int
    first: str | None
    last: str | None


class Chunk:
    """The rows of some pieces of a file, in tables of one connection until they are written."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, rows: Rows) -> None:
        self.engine = engine
        self._rows = rows
        self._parts: list[str] = []

    def add(self, staged: str) -> str:
        """Add rows as SQL; return the name of their table.

        Raises:
            duckdb.Error: the engine cannot read them; nothing was added.
        """
        part = f"part_{len(self._parts)}"
        self.engine.execute(f"CREATE TEMP TABLE {part} AS {staged}")
        self._parts.append(part)
        return part

    def count(self, part: str) -> int:
        """The number of rows in a table."""
        (count,) = self.engine.execute(f"SELECT count(*) FROM {part}").fetchone() or (0,)
        return int(count)

    def undo(self) -> None:
        """Take away what was added last."""
        self.engine.execute(f"DROP TABLE {self._parts.pop()}")

    def write(self, folder: Path, stem: str) -> dict[str, Run]:
        """Write all rows to sorted files, one a day (or one for an entity table), and forget them."""
        export = self._rows.export
        columns = ", ".join(map(name, [*stored_columns(self._rows.schema, export), DAY]))
        age = f"{timestamp(self._rows.ordered_at)} AS {ORDERED_AT}, {text(self._rows.batch_id)} AS {BATCH_ID}"
        parts = " UNION ALL ".join(f"SELECT {columns} FROM (SELECT *, {age} FROM {part})" for part in self._parts)
        if not parts:
            return {}
        day = f"coalesce({DAY}::VARCHAR, '{UNKNOWN_DAY}')" if export.is_event else text(ALL)
        found = self.engine.execute(
            f"SELECT {day} AS day, count(*), count({RESCUED}), min({EVENT_AT})::VARCHAR, max({EVENT_AT})::VARCHAR "
            f"FROM ({_both(self._parts, (DAY, RESCUED, EVENT_AT))}) GROUP BY 1 ORDER BY 1"
        ).fetchall()
        made = {}
        for day, rows, rescued, first, last in found:
            file = folder / f"{stem}-{day}.parquet"
            which = "" if len(found) == 1 else f"WHERE {DAY} IS NOT DISTINCT FROM {_date(day)}"
            write_sorted(self.engine, f"SELECT * EXCLUDE ({DAY}) FROM ({parts}) {which}", self._rows, file)
            made[day] = Run(file, rows, rescued, first, last)
        while self._parts:
            self.undo()
        return made


def write_sorted(engine: duckdb.DuckDBPyConnection, selected: str, rows: Rows, file: Path) -> None:
    """Write rows, selected by SQL, to a file of a table.

    Raises:
        WrongType: Athena may misread the file.
    """
    order = EVENT_AT if rows.export.is_event else ", ".join(map(name, identity(rows)))
    engine.execute(
        f"COPY ({selected} ORDER BY {order}) TO {text(str(file))} "
        f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})"
    )
    found = engine.execute(
        f"SELECT name, coalesce(converted_type, type) FROM parquet_schema({text(str(file))}) WHERE num_children IS NULL"
    ).fetchall()
    wrong = {column: kind for column, kind in found if kind not in _PARQUET_TYPES}
    if wrong:
        raise WrongType(f"A file of {rows.export.name} has columns of other types: {wrong}.")


def follow_each_other(runs: Sequence[Run]) -> bool:
    """Whether no run begins before the one before it has ended, so that all of them together are sorted."""
    return all(
        before.last is not None and after.first is not None and before.last <= after.first
        for before, after in pairwise(runs)
    )


def shape(schema: Schema, export: ExportType) -> str:
    """The columns of a table's files with the engine's types, as SQL."""
    types: Mapping[str, str] = {column.name: ENGINE_TYPES[column.kind] for column in schema.stored} | {
        EVENT_AT: "TIMESTAMP",
        ORDERED_AT: "TIMESTAMP",
        BATCH_ID: "VARCHAR",
        ROW_ID: "VARCHAR",
        RESCUED: "VARCHAR",
    }
    return ", ".join(f"{name(column)} {types[column]}" for column in stored_columns(schema, export))


def _both(parts: Sequence[str], columns: Sequence[str]) -> str:
    return " UNION ALL ".join(f"SELECT {', '.join(columns)} FROM {part}" for part in parts)


def _date(day: str) -> str:
    return "NULL::DATE" if day == UNKNOWN_DAY else f"DATE {text(day)}"
