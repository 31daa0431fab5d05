"""The span of an export's times, from its staged rows, and the predicate of where it overlaps the table."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import duckdb

from lambdas.lake.column_types import EVENT_AT
from lambdas.lake.engine import parquet, timestamp
from lambdas.lake.profile.audit import Interval, Span
from lambdas.lake.profile.window import Window
from lambdas.lake.rows.staging import Rows, identity_columns
from lambdas.lake.sql import name

_RESOLUTIONS = (timedelta(days=1), timedelta(hours=1), timedelta(minutes=1))


def span_of(engine: duckdb.DuckDBPyConnection, files: Sequence[Path], window: Window | None) -> Span | None:
    """The span of an export's times; None when it has no times."""
    is_outside = "false"
    if window is not None:
        is_outside = f"{EVENT_AT} NOT BETWEEN {timestamp(window.start)} AND {timestamp(window.end)}"
    # The clock of midnight is the same hour in UTC, or two where daylight saving begins or ends.
    found = engine.execute(
        f"SELECT list_transform(quantile_disc({EVENT_AT}, [0.05, 0.95]), lambda edge: timezone('UTC', edge)::VARCHAR), "
        f"count({EVENT_AT}), "
        f"count(*) FILTER ({is_outside}), "
        f"bool_and(epoch_us({EVENT_AT}) % 3600000000 = 0) AND count(DISTINCT hour({EVENT_AT})) <= 2, "
        f"bool_and(epoch_us({EVENT_AT}) % 3600000000 = 0), bool_and(epoch_us({EVENT_AT}) % 60000000 = 0) "
        f"FROM {parquet(files)}"
    ).fetchone()
    if found is None or not found[1]:
        return None
    (low, high), rows, outside, *coarse = found
    resolution = next((one for one, holds in zip(_RESOLUTIONS, coarse, strict=True) if holds), timedelta(seconds=1))
    return Span(_moment(low), _moment(high), resolution, rows, outside)


def gone(engine: duckdb.DuckDBPyConnection, files: Sequence[Path], rows: Rows) -> tuple[str, ...]:
    """The fields of the identity that no record of an export has."""
    columns = identity_columns(rows.profile, rows.schema)
    if not columns:
        return ()
    counts = ", ".join(f"count({name(column.name)})" for column in columns)
    found = engine.execute(f"SELECT {counts} FROM {parquet(files)}").fetchone() or ()
    return tuple(column.source for column, filled in zip(columns, found, strict=True) if not filled)


def within(intervals: Sequence[Interval]) -> str:
    """SQL for whether a row's time lies in one of the intervals."""
    parts = [f"{EVENT_AT} BETWEEN {timestamp(low)} AND {timestamp(high)}" for low, high in intervals]
    return f"({' OR '.join(parts)})" if parts else "false"


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)
