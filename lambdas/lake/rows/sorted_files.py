"""The rows of a chunk as sorted Parquet files, one a day, in the form in which a table stores them.

A day that came in one sorted file, or in files that do not overlap in time, is published as it is.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import duckdb

from lambdas.lake.column_types import BATCH_ID, DAY, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID
from lambdas.lake.engine import parquet
from lambdas.lake.rows.staging import ENGINE_TYPES, Rows, day, identity, stored_columns
from lambdas.lake.sql import name, text
from lambdas.lake.storage.keys import UNKNOWN_DAY

ALL = "all"
"""The day of an entity table, which has no days."""
# The engine writes row groups in parallel and Athena reads them so; each is about ten megabytes.
_ROW_GROUP_ROWS = 122_880
# Of Zstandard: files as small as with its default of 3, in 5 % less time.
_LEVEL = 1
# Columns with more different values in a row group are written plainly: giving up on a dictionary costs a tenth of the
# time, and the files are as small.
_DICTIONARY_VALUES = 5_000
# Law 9 of the design: the types that every reader interprets as meant.
_PARQUET_TYPES = ("UTF8", "INT_64", "DOUBLE", "BOOLEAN", "TIMESTAMP_MICROS")


class WrongType(Exception):
    """The engine wrote a type that Athena may misread: a bug, so nothing is published."""


@dataclass(frozen=True)
class SortedFile:
    """A sorted Parquet file of one day; `first` and `last` are its event times as UTC text that sorts like time."""

    path: Path
    rows: int
    rescued: int
    first: str | None
    last: str | None


class Chunk:
    """The rows of some pieces that are staged together, written in parts by one connection."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, rows: Rows, folder: Path, stem: str, *, sorts: bool = True
    ) -> None:
        """Prepare; files start with `stem`. A chunk whose input is already sorted skips ORDER BY (`sorts`)."""
        self.engine = engine
        self._rows = rows
        self._folder = folder
        self._stem = stem
        self._sorts = sorts
        self._parts: list[Path] = []

    def add(self, staged: str) -> tuple[Path, int]:
        """Write rows, given as SQL, to a new part; return its path and the number of rows.

        Raises:
            duckdb.Error: the engine cannot read them; no part was added.
        """
        part = self._folder / f"{self._stem}.{len(self._parts)}.parquet"
        try:
            count = write(self.engine, staged, self._rows, part, sorts=self._sorts)
        except duckdb.Error:
            part.unlink(missing_ok=True)
            raise
        self._parts.append(part)
        return part, count

    def undo(self) -> None:
        """Remove the last part."""
        self._parts.pop().unlink()

    def sorted_files(self) -> tuple[dict[str, SortedFile], bool]:
        """Return the chunk as sorted files by day, one a day, and whether its input was already sorted."""
        if not self._parts:
            return {}, True
        has_days = self._rows.profile.has_days
        shown = f"{day(self._rows)} AS {DAY}, {EVENT_AT}" if has_days else f"NULL AS {DAY}, NULL AS {EVENT_AT}"
        found = self.engine.execute(
            f"SELECT {DAY}::VARCHAR, count(*), count({RESCUED}), min({EVENT_AT})::VARCHAR, max({EVENT_AT})::VARCHAR, "
            f"coalesce(bool_or(is_late), false) FROM (SELECT {shown}, {RESCUED}, "
            f"lag({EVENT_AT}) OVER () > {EVENT_AT} AS is_late FROM {parquet(self._parts)}) GROUP BY 1"
        ).fetchall()
        is_sorted = len(self._parts) == 1 and not any(is_late for *_, is_late in found)
        made = {}
        for date, rows, rescued, first, last, _ in found:
            name = (date or UNKNOWN_DAY) if has_days else ALL
            if is_sorted and len(found) == 1:
                file = self._parts.pop()
            else:
                file = self._folder / f"{self._stem}-{name}.parquet"
                that_day = f"{day(self._rows)} IS NOT DISTINCT FROM {f'DATE {text(date)}' if date else 'NULL'}"
                selected = f"SELECT * FROM {parquet(self._parts)} WHERE {that_day if has_days else 'true'}"
                write(self.engine, selected, self._rows, file, sorts=not is_sorted)
            made[name] = SortedFile(path=file, rows=rows, rescued=rescued, first=first, last=last)
        while self._parts:
            self.undo()
        return made, is_sorted


def write(engine: duckdb.DuckDBPyConnection, selected: str, rows: Rows, file: Path, *, sorts: bool = True) -> int:
    """Write rows, selected by SQL, to a table's file; return their number.

    Raises:
        WrongType: Athena may misread the file.
    """
    order = EVENT_AT if rows.profile.has_days else ", ".join(map(name, identity(rows)))
    (count,) = engine.execute(
        f"COPY ({selected} {f'ORDER BY {order}' if sorts else ''}) TO {text(str(file))} "
        f"(FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL {_LEVEL}, ROW_GROUP_SIZE {_ROW_GROUP_ROWS}, "
        f"DICTIONARY_SIZE_LIMIT {_DICTIONARY_VALUES})"
    ).fetchone() or (0,)
    found = engine.execute(
        f"SELECT name, coalesce(converted_type, type) FROM parquet_schema({text(str(file))}) WHERE num_children IS NULL"
    ).fetchall()
    wrong = {column: kind for column, kind in found if kind not in _PARQUET_TYPES}
    if wrong:
        raise WrongType(f"A file of {rows.export.name} has columns of other types: {wrong}.")
    return int(count)


def follow_each_other(files: Sequence[SortedFile]) -> bool:
    """Whether no file begins before the previous one ends: then all of them together are sorted."""
    return all(
        before.last is not None and after.first is not None and before.last <= after.first
        for before, after in pairwise(files)
    )


def shape(rows: Rows) -> str:
    """SQL for the columns of a table's files with the engine's types."""
    types: Mapping[str, str] = {column.name: ENGINE_TYPES[column.kind] for column in rows.schema.stored} | {
        EVENT_AT: "TIMESTAMP",
        ORDERED_AT: "TIMESTAMP",
        BATCH_ID: "VARCHAR",
        ROW_ID: "VARCHAR",
        RESCUED: "VARCHAR",
    }
    return ", ".join(f"{name(column)} {types[column]}" for column in stored_columns(rows))
