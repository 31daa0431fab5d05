"""Time ranges: predicates that range-partition a relation by event time, so that each part sorts within memory."""

from itertools import pairwise

import duckdb

from lambdas.lake.column_types import EVENT_AT
from lambdas.lake.sql import text

# Two are sorted at a time; larger ones take longer a row. Rows of one instant stay together, however many.
_ROWS = 245_760
# Enough for even ranges: their sizes differ by a few percent.
_SAMPLE_ROWS = 50_000


def range_predicates(engine: duckdb.DuckDBPyConnection, relation: str, count: int) -> list[str]:
    """Return SQL predicates for consecutive time ranges of a relation of `count` rows.

    No range is empty, and every row with an event time is in exactly one. A single range takes all rows.
    """
    wanted = -(-count // _ROWS)
    if wanted < 2:
        return ["true"]
    share = min(100.0, 100 * _SAMPLE_ROWS / count)
    fractions = [number / wanted for number in range(1, wanted)]
    # Cuts are times of rows other than the first, so no range is empty.
    (cuts,) = engine.execute(
        "SELECT list_filter(list_sort(list_distinct(found)), lambda cut: cut > first)::VARCHAR[] FROM "
        f"(SELECT min({EVENT_AT}) AS first, quantile_disc({EVENT_AT}, {fractions}) AS found FROM "
        f"(SELECT {EVENT_AT} FROM {relation} USING SAMPLE {share} PERCENT (bernoulli, 1)))"
    ).fetchone() or ([],)
    if not cuts:
        return ["true"]
    at = [f"TIMESTAMP {text(cut)}" for cut in cuts]
    return [
        f"{EVENT_AT} < {at[0]}",
        *(f"{EVENT_AT} >= {start} AND {EVENT_AT} < {end}" for start, end in pairwise(at)),
        f"{EVENT_AT} >= {at[-1]}",
    ]
