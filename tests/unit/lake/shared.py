"""What all lakes of a test process share, since each takes longer to make than most tests run."""

import os
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import duckdb

from lambdas.lake import engine as lake_engine

REGION = "eu-north-1"


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """It takes as long to open as a small batch to load.

    A second thread costs a fifth of the time of a suite that loads a few records each time; campaigns have it.
    """
    threads = lake_engine.THREADS if os.environ.get("LAKE_CAMPAIGN") else 1
    return lake_engine.connect(Path(tempfile.mkdtemp(prefix="lake-test-engine-")), threads)


@cache
def client(service: str) -> Any:
    session: Any = _session()
    return session.client(service)


@cache
def dynamodb() -> Any:
    session: Any = _session()
    return session.resource("dynamodb")


@cache
def _session() -> boto3.Session:
    """One session, which parses each service's model once."""
    return boto3.Session("test", "test", region_name=REGION)
