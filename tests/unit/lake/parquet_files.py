"""Reads Parquet files as a query engine does."""

import atexit
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import duckdb

PARQUET_TYPES = {"UTF8", "INT_64", "DOUBLE", "BOOLEAN", "TIMESTAMP_MICROS"}


def read_parquet(files: list[Path], columns: Mapping[str, str]) -> list[dict[str, Any]]:
    """Read files as a query engine does that resolves columns by name and type in the catalog."""
    engine = _reader()
    names = [str(file) for file in files]
    found: list[dict[str, Any]] = []
    for file in names:
        query = "SELECT name, coalesce(converted_type, type) FROM parquet_schema(?) WHERE num_children IS NULL"
        present = dict(engine.execute(query, [file]).fetchall())
        assert set(present.values()) <= PARQUET_TYPES, present
        expected = {
            "bigint": "INT_64",
            "double": "DOUBLE",
            "string": "UTF8",
            "boolean": "BOOLEAN",
            "timestamp": "TIMESTAMP_MICROS",
        }
        assert all(present[name] == expected[kind] for name, kind in columns.items() if name in present), (
            present,
            columns,
        )
        relation = engine.execute("SELECT * FROM read_parquet(?, hive_partitioning=false)", [file])
        header = [item[0] for item in relation.description or []]
        found += [dict.fromkeys(columns) | dict(zip(header, values, strict=True)) for values in relation.fetchall()]
    return found


@cache
def _reader() -> duckdb.DuckDBPyConnection:
    """One connection: opening one takes longer than reading such small files."""
    connection = duckdb.connect()
    atexit.register(connection.close)
    return connection
