"""A result's content in two numbers: its rows, and an order-free checksum that does not depend on column names."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

_INSTANTS = ("timestamp", "senttimestamp")


@dataclass(frozen=True)
class Content:
    """The number of rows, and the sum of their hashes."""

    rows: int
    checksum: str


def of_parquet(files: Sequence[str], fields: Sequence[str]) -> Content:
    """The content of Parquet files (globs) in the columns of these source names."""
    return _content(f"read_parquet({list(files)!r}, union_by_name=true)", fields)


def of_json(files: Sequence[Path], columns: dict[str, str], condition: str = "true") -> Content:
    """The content of newline-delimited files, read by the bare engine."""
    types = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
    names = [str(file) for file in files]
    source = f"read_json({names!r}, format='newline_delimited', columns={{{types}}})"
    return _content(f"(SELECT * FROM {source} WHERE {condition})", list(columns))


def of_values(source: str, values: Sequence[str]) -> Content:
    """The content of a source in SQL, in these values of a row."""
    engine = _engine()
    row = ", ".join(values)
    rows, total = engine.execute(f"SELECT count(*), sum(hash({row})::HUGEINT)::VARCHAR FROM {source}").fetchone() or ()
    return Content(rows, total or "0")


def _engine() -> duckdb.DuckDBPyConnection:
    engine = duckdb.connect()
    engine.execute("SET TimeZone = 'UTC'")
    engine.execute("SET memory_limit = '1GB'")
    return engine


def _content(source: str, fields: Sequence[str]) -> Content:
    engine = _engine()
    described = engine.execute(f"DESCRIBE SELECT * FROM {source}").fetchall()
    # event_id, eventid and eventId are one name.
    names = {str(row[0]).replace("_", "").lower(): str(row[0]) for row in described}
    missing = [name for name in fields if name.lower() not in names]
    if missing:
        return Content(_scalar(engine, f"SELECT count(*) FROM {source}"), f"without {', '.join(missing)}")
    return of_values(source, [_value(names[name.lower()], name.lower()) for name in fields])


def _value(column: str, name: str) -> str:
    """A value independent of its type: one loader keeps a time as text, another as a timestamp."""
    return f'epoch_ms("{column}"::TIMESTAMPTZ)' if name in _INSTANTS else f'"{column}"::VARCHAR'


def _scalar(engine: duckdb.DuckDBPyConnection, sql: str) -> int:
    found = engine.execute(sql).fetchone()
    return int(found[0]) if found else 0
