"""The cloud that the commands of README and runbook are tried on.

Fixtures of their own and no settings of the shared ones: a worker that also runs other folders has a cloud for each.
"""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local import lifecycle
from local.lifecycle import Running
from tests.conftest import booted

# A night of some exports is as good as one of all ten, which `test_demo.py` plays: each costs six cold starts.
NIGHTLY = ("CAMPAIGNS", "LISTS", "OPENS", "SENT")


@pytest.fixture(scope="session")
def cloud_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the folder's local cloud keeps its files."""
    exports = json.dumps({export: export in NIGHTLY for export in EXPORT_TYPES})
    with booted(tmp_path_factory.mktemp("commands"), "--setting", f"exports={exports}") as home:
        yield home


@pytest.fixture(scope="session")
def running(cloud_home: Path) -> Running:
    """The folder's local cloud with the stack deployed and the stand-in Symplify."""
    return lifecycle.current(cloud_home)
