"""Queries that read views, where the engine keeps none."""

import duckdb
import pytest

from local.problem import Problem
from local.views import expanded

VIEWS = {
    "events": "WITH some AS (SELECT x FROM numbers) SELECT CAST(x AS bigint) AS x FROM some",
    "sums": "SELECT CAST(sum(x) AS bigint) AS total, CAST(1 AS bigint) AS one FROM events",
}


def answer(sql: str) -> list[tuple[object, ...]]:
    """The rows of a query over three numbers."""
    with duckdb.connect() as engine:
        engine.execute("CREATE TABLE numbers AS SELECT unnest([1, 2, 3]) AS x")
        return engine.execute(expanded(sql, VIEWS)).fetchall()


@pytest.mark.parametrize(
    "sql", ["SELECT 1", "SHOW TABLES", "SELECT 'sums'", "SELECT x AS events FROM numbers", "SELEC"]
)
def test_a_query_that_reads_no_view_is_left_as_it_is(sql: str) -> None:
    try:
        assert expanded(sql, {"view_of_mine": "SELECT 1", **VIEWS}) == sql
    except Problem:
        pytest.fail("It reads no view.")


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("SELECT total FROM sums", [(6,)]),
        ("SELECT total FROM SUMS;", [(6,)]),
        ('SELECT total FROM "sums" AS s', [(6,)]),
        ("SELECT total FROM lake.sums", [(6,)]),
        ("SELECT total FROM awsdatacatalog.lake.sums", [(6,)]),
        ("SELECT x FROM events JOIN sums ON x = one", [(1,)]),
        ("WITH mine AS (SELECT total FROM sums) SELECT total + 1 FROM mine", [(7,)]),
        ("SELECT (SELECT total FROM sums) FROM events WHERE x = 1", [(6,)]),
        ("SELECT total FROM sums UNION ALL SELECT x FROM events WHERE x = 2 ORDER BY 1", [(2,), (6,)]),
        ("WITH some AS (SELECT 5 AS x) SELECT some.x, total FROM some, sums", [(5, 6)]),
        ("SELECT sums.total, e.x FROM sums, events AS e WHERE e.x = 3", [(6, 3)]),
        ("SELECT count_if(x > 1) FROM events", [(2,)]),
    ],
)
def test_views_are_expanded_wherever_they_are_read(sql: str, rows: list[tuple[object, ...]]) -> None:
    assert answer(sql) == rows


def test_a_name_of_the_query_itself_is_no_view() -> None:
    assert answer("WITH sums AS (SELECT 9 AS total) SELECT total FROM sums") == [(9,)]
    assert answer("WITH events AS (SELECT 9 AS x) SELECT x, total FROM events, sums") == [(9, 6)]


@pytest.mark.parametrize("sql", ["SELEC total FROM sums", "DELETE FROM sums"])
def test_what_cannot_be_expanded_is_a_problem(sql: str) -> None:
    with pytest.raises(Problem):
        expanded(sql, VIEWS)
