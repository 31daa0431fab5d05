"""DuckDB within a function's memory and without network access, and helpers that quote SQL."""

from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from lambdas.lake.sql import text

# Measured: enough for a piece on each thread and for a day's merge; the rest spills to the work folder.
MEMORY_LIMIT = "400MB"
THREADS = 2


def connect(folder: Path, threads: int = THREADS) -> duckdb.DuckDBPyConnection:
    """Open an engine that spills to the folder."""
    spill = folder / "spill"
    spill.mkdir(parents=True, exist_ok=True)
    engine = duckdb.connect()
    engine.execute(f"SET temp_directory = {text(str(spill))}")
    engine.execute(f"SET memory_limit = '{MEMORY_LIMIT}'")
    engine.execute(f"SET threads = {threads}")
    # Insertion order costs five times the memory, and files are sorted explicitly anyway.
    engine.execute("SET preserve_insertion_order = false")
    # GLOBAL: for every cursor.
    engine.execute("SET GLOBAL TimeZone = 'UTC'")
    engine.execute("SET autoinstall_known_extensions = false")
    engine.execute("SET autoload_known_extensions = false")
    return engine


@contextmanager
def workers(engine: duckdb.DuckDBPyConnection) -> Iterator[ThreadPoolExecutor]:
    """A pool of threads, each with its own cursor; meanwhile every statement runs on its caller's thread alone."""
    (threads,) = engine.execute("SELECT current_setting('threads')").fetchone() or (THREADS,)
    engine.execute("SET threads = 1")
    try:
        with ThreadPoolExecutor(THREADS) as pool:
            yield pool
    finally:
        engine.execute(f"SET threads = {threads}")


def timestamp(moment: datetime) -> str:
    """An instant as an SQL literal: a timestamp in UTC."""
    return f"TIMESTAMP {text(moment.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' '))}"


def files(paths: Sequence[Path]) -> str:
    """A list of files as an SQL literal."""
    return "[" + ", ".join(text(str(path)) for path in paths) + "]"


def parquet(paths: Sequence[Path]) -> str:
    """SQL for the rows of Parquet files with the same columns."""
    return f"read_parquet({files(paths)}, hive_partitioning=false)"


def any_of(conditions: Iterable[str]) -> str:
    """SQL for whether one of these holds: halved again and again, since the engine limits how deep an expression is."""
    found = [one for one in conditions if one != "false"]
    if len(found) < 2:
        return found[0] if found else "false"
    middle = len(found) // 2
    return f"({any_of(found[:middle])} OR {any_of(found[middle:])})"
