"""Slices: a day cut by time into spans of about as many rows as are sorted within the engine's memory."""

from itertools import pairwise

import duckdb

from lambdas.lake.engine import text
from lambdas.lake.schema import EVENT_AT

# Two are sorted at a time. Larger ones take longer a row; rows at one instant stay together, however many.
_ROWS = 245_760
# Enough to cut even: what a slice holds differs by a few percent.
_SAMPLE_ROWS = 50_000


def slices(engine: duckdb.DuckDBPyConnection, rows: str) -> list[str]:
    """Conditions in SQL that cut rows (a part of SQL that tells them) into slices that follow each other in time.

    Each holds a row at least, and every row with an event time is in exactly one; all rows are where there is but one.
    """
    (count,) = engine.execute(f"SELECT count(*) FROM {rows}").fetchone() or (0,)
    wanted = -(-count // _ROWS)
    if wanted < 2:
        return ["true"]
    fractions = [number / wanted for number in range(1, wanted)]
    # Cuts are times of rows, and none is the first, so that no slice is empty.
    (cuts,) = engine.execute(
        "SELECT list_filter(list_sort(list_distinct(found)), lambda cut: cut > first)::VARCHAR[] FROM "
        f"(SELECT min({EVENT_AT}) AS first, quantile_disc({EVENT_AT}, {fractions}) AS found FROM "
        f"(SELECT {EVENT_AT} FROM {rows} USING SAMPLE reservoir({_SAMPLE_ROWS} ROWS) REPEATABLE (1)))"
    ).fetchone() or ([],)
    if not cuts:
        return ["true"]
    at = [f"TIMESTAMP {text(cut)}" for cut in cuts]
    return [
        f"{EVENT_AT} < {at[0]}",
        *(f"{EVENT_AT} >= {start} AND {EVENT_AT} < {end}" for start, end in pairwise(at)),
        f"{EVENT_AT} >= {at[-1]}",
    ]
