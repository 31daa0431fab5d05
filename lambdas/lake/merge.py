"""The merge: for every identity, the rows of the one export that has most of them, and among equals the newest.

A table is thereby a function of the set of exports loaded, whatever their order and however often each was loaded.
The rows themselves carry the rule forward: their age (`_ordered_at`, `_batch_id`) and their identity (`_row_id`).
"""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import duckdb

from lambdas.lake.engine import files, name, text, timestamp
from lambdas.lake.errors import Unloadable
from lambdas.lake.keys import UNKNOWN_DAY
from lambdas.lake.schema import BATCH_ID, DAY, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID
from lambdas.lake.staging import ENGINE_TYPES, KEY, NO_VALUE, Rows, stored_columns

# Law 9 of the design: the types that every reader takes as meant.
_PARQUET_TYPES = ("UTF8", "INT_64", "DOUBLE", "BOOLEAN", "TIMESTAMP_MICROS")
_LINEAGE = (BATCH_ID, ORDERED_AT, ROW_ID)
# The engine writes row groups side by side and Athena reads them so; these are some ten megabytes each.
_ROW_GROUP_ROWS = 122_880


class WrongType(Exception):
    """The engine wrote a type that Athena may misread: a mistake in the code, so nothing is published."""


@dataclass(frozen=True)
class Merged:
    """What a merge did to one day of a table, in rows; `file` is None when nothing in it changed."""

    read: int
    new: int
    updated: int
    file: Path | None

    @property
    def known(self) -> int:
        """Rows that the table held already, with the same content or from an export that outranks this one."""
        return self.read - self.new - self.updated


@dataclass(frozen=True)
class Contents:
    """What the staged rows are, before any merge."""

    days: tuple[str, ...]
    rescued: int
    unknown_time: int
    earliest: str | None
    latest: str | None


class Merge:
    """Merges staged rows into stored files, one day (or one entity table) at a time."""

    def __init__(self, engine: duckdb.DuckDBPyConnection, rows: Rows, staged: tuple[Path, ...]) -> None:
        self._engine = engine
        self._rows = rows
        self._columns = stored_columns(rows.schema, rows.export)
        self._listed = ", ".join(map(name, self._columns))
        self._content = ", ".join(name(column) for column in self._columns if column not in _LINEAGE)
        self._age = f"{timestamp(rows.ordered_at)} AS {ORDERED_AT}, {text(rows.batch_id)} AS {BATCH_ID}"
        engine.execute(
            f"CREATE OR REPLACE VIEW staged AS SELECT *, {self._age} FROM read_parquet({files(list(staged))})"
        )
        types = {column.name: ENGINE_TYPES[column.kind] for column in rows.schema.stored}
        types |= {
            EVENT_AT: "TIMESTAMP",
            ORDERED_AT: "TIMESTAMP",
            BATCH_ID: "VARCHAR",
            ROW_ID: "VARCHAR",
            RESCUED: "VARCHAR",
        }
        shape = ", ".join(f"{name(column)} {types[column]}" for column in self._columns)
        engine.execute(f"CREATE OR REPLACE TABLE shape ({shape})")

    def check_key(self) -> None:
        """Make sure that a key is one.

        Raises:
            Unloadable: two records of the export share the key and differ.
        """
        if not self._repeats:
            return
        twice = self._engine.execute(
            f"SELECT {KEY} FROM staged WHERE {KEY} IN "
            f"(SELECT {KEY} FROM staged WHERE {KEY} <> '{NO_VALUE}' GROUP BY 1 HAVING count(*) > 1) "
            f"GROUP BY 1 HAVING count(DISTINCT row({self._content})) > 1 ORDER BY 1 LIMIT 1"
        ).fetchone()
        if twice is not None:
            # The component tells its kind and a text's length before the value.
            value = str(twice[0]).split(":", 1)[1] if str(twice[0]).startswith("s") else str(twice[0])[1:]
            raise Unloadable(
                f"{self._rows.schema.identity[0]} {value[:100]} holds twice in this export, with different content, "
                "so it is no key. "
                f"Choose other fields for {self._rows.export.name} in the setting identityFields, and replay."
            )

    def contents(self) -> Contents:
        """Look at what was staged."""
        days = self._engine.execute(
            f"SELECT coalesce(day::VARCHAR, '{UNKNOWN_DAY}') FROM (SELECT DISTINCT {DAY} AS day FROM staged) ORDER BY 1"
        ).fetchall()
        unknown = f"count(*) FILTER ({EVENT_AT} IS NULL)" if self._rows.export.is_event else "0"
        found = self._engine.execute(
            f"SELECT count({RESCUED}), {unknown}, min({EVENT_AT})::VARCHAR, max({EVENT_AT})::VARCHAR FROM staged"
        ).fetchone()
        rescued, unknown_time, earliest, latest = found or (0, 0, None, None)
        return Contents(tuple(day for (day,) in days), rescued, unknown_time, earliest, latest)

    def into(self, day: str | None, stored: list[Path], target: Path) -> Merged:
        """Merge the staged rows of a day (None: all of them, for an entity) with what is stored of it."""
        run = self._engine.execute
        which = "" if day is None else f"WHERE {DAY} IS NOT DISTINCT FROM {self._day(day)}"
        # A key that holds twice holds the same content (`check_key`), so one row of it says all.
        once = f"QUALIFY {KEY} = '{NO_VALUE}' OR row_number() OVER (PARTITION BY {ROW_ID}) = 1" if self._repeats else ""
        run(f"CREATE OR REPLACE TEMP VIEW fresh AS SELECT {self._listed} FROM staged {which} {once}")
        if not stored:
            return self._first(target)
        run(f"CREATE OR REPLACE TEMP VIEW stored AS SELECT {self._listed} FROM {self._stored(stored)}")
        age = f"({timestamp(self._rows.ordered_at)}, {text(self._rows.batch_id)})"
        # The rows of an identity as a multiset; it only counts what changed, and decides nothing.
        content = f"sum(hash({self._content})::HUGEINT) AS content"
        run(
            "CREATE OR REPLACE TEMP TABLE verdict AS WITH "
            f"ours AS (SELECT {ROW_ID}, count(*) AS n, {content} FROM fresh GROUP BY 1), "
            f"theirs AS (SELECT {ROW_ID}, count(*) AS n, {content}, "
            f"max(({ORDERED_AT}, {BATCH_ID})) AS age FROM stored SEMI JOIN ours USING ({ROW_ID}) GROUP BY 1) "
            f"SELECT ours.{ROW_ID}, ours.n, theirs.n IS NULL AS is_new, "
            "ours.content IS DISTINCT FROM theirs.content AS differs, "
            f"theirs.n IS NULL OR ours.n > theirs.n OR (ours.n = theirs.n AND {age} > theirs.age) AS wins "
            f"FROM ours LEFT JOIN theirs USING ({ROW_ID})"
        )
        tally = run(
            "SELECT sum(n), sum(n) FILTER (is_new), sum(n) FILTER (wins AND differs AND NOT is_new), "
            "coalesce(bool_or(wins), false) FROM verdict"
        ).fetchone()
        read, new, updated, changed = tally or (0, 0, 0, False)
        if changed:
            self._write(
                f"SELECT * FROM stored ANTI JOIN (FROM verdict WHERE wins) USING ({ROW_ID}) "
                f"UNION ALL SELECT * FROM fresh SEMI JOIN (FROM verdict WHERE wins) USING ({ROW_ID})",
                target,
            )
        return Merged(int(read or 0), int(new or 0), int(updated or 0), target if changed else None)

    def _first(self, target: Path) -> Merged:
        """A day of which nothing is stored: every fresh row is new."""
        (count,) = self._engine.execute("SELECT count(*) FROM fresh").fetchone() or (0,)
        self._write("FROM fresh", target)
        return Merged(count, count, 0, target)

    def _write(self, rows: str, target: Path) -> None:
        order = EVENT_AT if self._rows.export.is_event else ROW_ID
        self._engine.execute(
            f"COPY ({rows} ORDER BY {order}) TO {text(str(target))} "
            f"(FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {_ROW_GROUP_ROWS})"
        )
        self._check_types(target)

    def _day(self, day: str) -> str:
        return "NULL::DATE" if day == UNKNOWN_DAY else f"DATE {text(day)}"

    @cached_property
    def _repeats(self) -> bool:
        """Whether a key holds twice: seldom, and asking once costs less than going through each day's rows for it."""
        if not self._rows.schema.identity_is_key:
            return False
        found = self._engine.execute(f"SELECT count(*) > count(DISTINCT {KEY}) FROM staged").fetchone()
        return bool(found and found[0])

    def _check_types(self, file: Path) -> None:
        """Make sure of the types that Athena reads as meant: other engines would read others as well."""
        found = self._engine.execute(
            f"SELECT name, coalesce(converted_type, type) FROM parquet_schema({text(str(file))}) "
            "WHERE num_children IS NULL"
        ).fetchall()
        wrong = {column: kind for column, kind in found if kind not in _PARQUET_TYPES}
        if wrong:
            raise WrongType(f"A file of {self._rows.export.name} has columns of other types: {wrong}.")

    def _stored(self, paths: list[Path]) -> str:
        """What is stored, in today's columns: files from before a column was added lack it."""
        if not paths:
            return "shape"
        return (
            f"(SELECT * FROM shape UNION ALL BY NAME SELECT * FROM read_parquet({files(paths)}, union_by_name=true, "
            "hive_partitioning=false))"
        )
