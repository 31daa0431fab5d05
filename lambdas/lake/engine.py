"""DuckDB, set up so that it stays within a function's memory and never reaches for the network."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

# Measured: enough for a piece on each thread and for a day's merge; what does not fit goes to the work folder.
MEMORY_LIMIT = "400MB"
THREADS = 2


def connect(folder: Path) -> duckdb.DuckDBPyConnection:
    """Open an engine that keeps its overflow in the folder."""
    spill = folder / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    engine = duckdb.connect()
    engine.execute(f"SET temp_directory = {text(str(spill))}")
    engine.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    engine.execute(f"SET threads = {THREADS}")
    # Insertion order costs five times the memory; every file is sorted by us instead.
    engine.execute("SET preserve_insertion_order = false")
    # For every connection.
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    engine.execute("SET autoinstall_known_extensions = false")
    engine.execute("SET autoload_known_extensions = false")
    return engine


@contextmanager
def workers(engine: duckdb.DuckDBPyConnection) -> Iterator[ThreadPoolExecutor]:
    """Threads that work side by side, on a cursor each: every statement stays on its caller's thread meanwhile."""
    engine.execute("SET threads = 1")
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            yield pool
    finally:
        engine.execute(f"SET threads = {THREADS}")


def text(value: str) -> str:
    """A string as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"


def timestamp(moment: datetime) -> str:
    """An instant as SQL writes it: a timestamp in UTC."""
    return f"TIMESTAMP {text(moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' '))}"


def name(value: str) -> str:
    """A column's name as SQL writes it."""
    return '"' + value.replace('"', '""') + '"'


def files(paths: Sequence[Path]) -> str:
    """A list of files as SQL writes it."""
    return "[" + ", ".join(text(str(path)) for path in paths) + "]"


def parquet(paths: Sequence[Path]) -> str:
    """The rows of Parquet files of the same columns, as SQL."""
    return f"read_parquet({files(paths)}, hive_partitioning=false)"
