"""Time ranges: every row of a day is in exactly one range, and no range is empty."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake import engine
from lambdas.lake.rows import time_ranges
from tests.unit.lake.properties import examples

START = datetime(2024, 3, 1, tzinfo=UTC)
ROWS = 10


@pytest.fixture(scope="module")
def duck() -> Iterator[duckdb.DuckDBPyConnection]:
    with (
        pytest.MonkeyPatch.context() as patch,
        tempfile.TemporaryDirectory() as folder,
        engine.connect(Path(folder)) as duck,
    ):
        patch.setattr(time_ranges, "_ROWS", ROWS)
        yield duck


def partition(duck: duckdb.DuckDBPyConnection, seconds: Sequence[int | None]) -> list[list[Any]]:
    """The seconds in each range."""
    duck.execute("CREATE OR REPLACE TABLE day (_event_at TIMESTAMP, second INTEGER)")
    for second in seconds:
        at = None if second is None else engine.timestamp(START + timedelta(seconds=second))
        duck.execute(f"INSERT INTO day VALUES ({at or 'NULL'}, ?)", [second])
    return [
        [second for (second,) in duck.execute(f"SELECT second FROM day WHERE {span}").fetchall()]
        for span in time_ranges.range_predicates(duck, "day", len(seconds))
    ]


@examples(30)
@given(seconds=st.lists(st.integers(0, 5) | st.integers(0, 86_399), min_size=1, max_size=60))
def test_every_row_is_in_one_range_and_ranges_are_consecutive(
    duck: duckdb.DuckDBPyConnection, seconds: list[int]
) -> None:
    found = partition(duck, seconds)
    assert all(found)
    assert [second for one in found for second in sorted(one)] == sorted(seconds)


def test_ranges_are_close_to_their_maximum_size(duck: duckdb.DuckDBPyConnection) -> None:
    seconds = random.Random(1).sample(range(86_400), 95)
    assert {len(one) for one in partition(duck, seconds)} == {9, 10}


@pytest.mark.parametrize("seconds", [[7] * 25, [None] * 25, [3], []], ids=["one instant", "no times", "one", "none"])
def test_rows_that_cannot_be_partitioned_are_one_range(
    duck: duckdb.DuckDBPyConnection, seconds: list[int | None]
) -> None:
    assert partition(duck, seconds) == [seconds]
