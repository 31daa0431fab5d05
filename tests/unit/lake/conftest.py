"""Fixtures of the lake's tests, and the Hypothesis profiles of its property tests."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, settings

from tests.unit.aws.in_process import Aws
from tests.unit.lake import shared
from tests.unit.lake.in_process_lake import InProcessLake, new_lake
from tests.unit.lake.parsing_paths import ParsingPaths

_NO_DEADLINE: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large],
}
settings.register_profile("lake", derandomize=True, database=None, **_NO_DEADLINE)
# LAKE_CAMPAIGN=50 runs fifty times as many examples of each property, and random ones.
settings.register_profile("campaign", derandomize=False, database=None, print_blob=True, **_NO_DEADLINE)
settings.load_profile("campaign" if os.environ.get("LAKE_CAMPAIGN") else "lake")


@pytest.fixture
def lake(aws: Aws) -> Iterator[InProcessLake]:
    """An empty lake."""
    created = new_lake()
    yield created
    shutil.rmtree(created.work, ignore_errors=True)


@pytest.fixture(scope="module")
def engine() -> duckdb.DuckDBPyConnection:
    return shared.engine()


@pytest.fixture(scope="module")
def paths(tmp_path_factory: pytest.TempPathFactory) -> ParsingPaths:
    return ParsingPaths(tmp_path_factory.mktemp("paths"))
