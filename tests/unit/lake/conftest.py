"""Fixtures of the lake's tests, and how many examples its laws are tried with."""

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.unit.aws.in_process import Aws
from tests.unit.lake.lakehouse import House, new_house
from tests.unit.lake.parsing_paths import Ways

_CALM: dict[str, Any] = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
settings.register_profile("lake", derandomize=True, database=None, **_CALM)
# A long run on other examples every time: LAKE_CAMPAIGN=50 takes fifty times as many of each law.
settings.register_profile("campaign", derandomize=False, database=None, print_blob=True, **_CALM)
settings.load_profile("campaign" if os.environ.get("LAKE_CAMPAIGN") else "lake")


@pytest.fixture
def house(aws: Aws) -> Iterator[House]:
    """A lake with nothing in it."""
    made = new_house()
    yield made
    shutil.rmtree(made.work, ignore_errors=True)


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    return Ways(tmp_path_factory.mktemp("ways"))
