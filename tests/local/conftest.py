"""The cloud that the commands of README and runbook are tried on."""

import json
from collections.abc import Sequence

import pytest

from lambdas.vocabulary import EXPORT_TYPES

NIGHTLY = ("CAMPAIGNS", "LISTS", "OPENS")


@pytest.fixture(scope="session")
def cloud_settings() -> Sequence[str]:
    """A night of three exports is as good as one of ten, which `test_demo.py` plays: each costs six cold starts."""
    return ("--setting", f"exports={json.dumps({export: export in NIGHTLY for export in EXPORT_TYPES})}")
