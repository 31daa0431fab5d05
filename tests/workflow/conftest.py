"""A stack for fault injection, against a stand-in in the test's process."""

from collections.abc import Iterator

import pytest

from local.standin import Options
from tests.conftest import BareCloud
from tests.workflow.campaign import Stage, deployed_stage

# With characters that URLs, JSON and base64 encode differently.
TOKEN = 'canary-4f1d/never+to"be=seen%&?'
OPTIONS = Options(token=TOKEN, events_per_day=30, finish_after_polls=2, link_seconds=20)


@pytest.fixture(scope="session")
def stage(bare_cloud: BareCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Deployed once, with short time limits."""
    with deployed_stage(bare_cloud, tmp_path_factory.mktemp("faults"), "brand-f", OPTIONS) as stage:
        yield stage
