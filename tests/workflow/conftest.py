"""What the tests of bad nights share: a stack of its own, against a stand-in in the test's process."""

from collections.abc import Iterator

import pytest

from local.lifecycle import Running
from local.standin import Options
from tests.workflow.campaign import Stage, staged

# With every sign that URLs, JSON and base64 write otherwise.
TOKEN = 'canary-4f1d/never+to"be=seen%&?'
OPTIONS = Options(token=TOKEN, events_per_day=30, finish_after_polls=2, link_seconds=20)


@pytest.fixture(scope="session")
def stage(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Deployed once, with limits by the clock made small."""
    with staged(running, tmp_path_factory.mktemp("faults"), "brand-f", OPTIONS) as stage:
        yield stage
