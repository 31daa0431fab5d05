"""Two files of one export type, held against each other where their spans of time overlap."""

# ruff: noqa: S608 - names and texts are quoted by engine.py, as in lambdas/lake

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb

from lambdas.lake.column_types import EVENT_AT
from lambdas.lake.engine import parquet
from lambdas.lake.rows.sorted_files import shape
from lambdas.lake.rows.staging import Rows, identity
from lambdas.lake.sql import name
from local.profiling.reading import Reading


@dataclass(frozen=True)
class Pair:
    """How many records of the shared span stand in both files, or in one alone; what stands twice counts twice."""

    other: str
    both: int
    only_here: int
    only_there: int
    first: datetime | None = None
    last: datetime | None = None
    """The span that both files have events of; None for entities, or where there is none."""

    def described(self) -> dict[str, Any]:
        """The pair as JSON has it."""
        span = [f"{moment:%Y-%m-%dT%H:%MZ}" for moment in (self.first, self.last) if moment is not None]
        return {
            "with": self.other,
            "inBoth": self.both,
            "onlyHere": self.only_here,
            "onlyThere": self.only_there,
            "span": span or None,
        }


def audit(engine: duckdb.DuckDBPyConnection, here: Reading, earlier: Sequence[Reading]) -> list[Pair]:
    """Compare a file with each earlier one of its type, under the profile that both are read with."""
    return [_compared(engine, here, there) for there in earlier if _is_comparable(here, there)]


def _is_comparable(here: Reading, there: Reading) -> bool:
    return (
        here.profile is not None
        and here.profile == there.profile
        and all(one.staged is not None and one.staged.rows for one in (here, there))
    )


def _compared(engine: duckdb.DuckDBPyConnection, here: Reading, there: Reading) -> Pair:
    assert here.staged is not None  # noqa: S101 - see `_is_comparable`
    assert there.staged is not None  # noqa: S101
    rows = replace(here.rows, schema=here.staged.schema, profile=here.staged.profile)
    engine.execute(f"CREATE OR REPLACE TABLE no_rows ({shape(rows)})")
    sources = [
        f"(SELECT * FROM no_rows UNION ALL BY NAME SELECT * FROM {parquet(one.files)})"
        for one in (here.staged, there.staged)
    ]
    span = _span(engine, rows, sources)
    inside = "true"
    if rows.profile.has_days:
        inside = f"{EVENT_AT} BETWEEN make_timestamp({span[0]}) AND make_timestamp({span[1]})" if span else "false"
    columns = ", ".join(map(name, identity(rows)))
    counted = [
        f"(SELECT {columns}, count(*) AS {count} FROM {source} WHERE {inside} GROUP BY ALL)"
        for count, source in zip(("_here", "_there"), sources, strict=True)
    ]
    same = " AND ".join(f"here.{column} IS NOT DISTINCT FROM there.{column}" for column in map(name, identity(rows)))
    found = engine.execute(
        "SELECT sum(least(a, b)), sum(greatest(a - b, 0)), sum(greatest(b - a, 0)) FROM ("
        f"SELECT coalesce(_here, 0) AS a, coalesce(_there, 0) AS b FROM {counted[0]} AS here "
        f"FULL JOIN {counted[1]} AS there ON {same})"
    ).fetchone()
    both, only_here, only_there = (int(count or 0) for count in found or (0, 0, 0))
    return Pair(str(there.file), both, only_here, only_there, *map(_moment, span or ()))


def _span(engine: duckdb.DuckDBPyConnection, rows: Rows, sources: Sequence[str]) -> tuple[int, int] | None:
    """The span that both have events of, in microseconds since 1970."""
    if not rows.profile.has_days:
        return None
    ends = [
        engine.execute(f"SELECT epoch_us(min({EVENT_AT})), epoch_us(max({EVENT_AT})) FROM {source}").fetchone()
        for source in sources
    ]
    known = [(end[0], end[1]) for end in ends if end is not None and end[0] is not None]
    first, last = max((one for one, _ in known), default=1), min((one for _, one in known), default=0)
    return (first, last) if len(known) == len(sources) and first <= last else None


def _moment(microseconds: int) -> datetime:
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds)
