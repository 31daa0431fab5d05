"""Whether rows stand several times, as those of a file that the vendor wrote twice."""

from collections.abc import Iterable

import duckdb

from lambdas.lake.profile.audit import TELLING_RECORDS
from lambdas.lake.rows.staging import Rows, content_columns
from lambdas.lake.sql import name

# So many different rows. Without an id of their own, a few may all stand an even number of times by chance.
_TELLING_CONTENTS = TELLING_RECORDS // 2


def is_doubled(engine: duckdb.DuckDBPyConnection, days: Iterable[str], rows: Rows) -> bool:
    """Whether the numbers of times that rows stand have a common factor; `days` are SQL for the rows of each.

    A few rows say nothing. The days are read one by one, up to the first that is not so.
    """
    contents = 0
    for day in days:
        factor, found = _times(engine, day, rows)
        if factor == 1:
            return False
        contents += found
    return contents >= _TELLING_CONTENTS


def may_be_doubled(engine: duckdb.DuckDBPyConnection, days: Iterable[str], rows: Rows) -> bool:
    """Whether no day of a table shows that its rows stand once; only as many are read as tell."""
    contents = 0
    for day in days:
        factor, found = _times(engine, day, rows)
        contents += found
        if factor == 1 or contents >= _TELLING_CONTENTS:
            return factor > 1
    return True


def _times(engine: duckdb.DuckDBPyConnection, day: str, rows: Rows) -> tuple[int, int]:
    """The greatest common factor of how often each row stands (0 without rows), and the number of different rows."""
    content = ", ".join(map(name, content_columns(rows)))
    found = engine.execute(
        "SELECT list_reduce(list(DISTINCT n), lambda one, other: gcd(one, other)), count(*) "
        f"FROM (SELECT count(*) AS n FROM {day} GROUP BY hash({content}))"
    ).fetchone()
    return (found[0] or 0, found[1]) if found else (0, 0)
