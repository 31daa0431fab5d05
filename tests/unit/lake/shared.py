"""The engine that all lakes of a test process share, since it takes longer to make than most tests run."""

import os
import tempfile
from functools import cache
from pathlib import Path

import duckdb

from lambdas.lake import engine as lake_engine


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """It takes as long to open as a small batch to load.

    A second thread costs a fifth of the time of a suite that loads a few records each time; campaigns have it.
    """
    threads = lake_engine.THREADS if os.environ.get("LAKE_CAMPAIGN") else 1
    return lake_engine.connect(Path(tempfile.mkdtemp(prefix="lake-test-engine-")), threads)
