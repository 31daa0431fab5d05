"""The stack of the campaigns: that of fault injection, with everything that a setting can switch off."""

from collections.abc import Iterator

import pytest

from tests.conftest import BareCloud
from tests.workflow.campaign import Stage, deployed_stage
from tests.workflow.conftest import OPTIONS


@pytest.fixture(scope="session")
def stage(bare_cloud: BareCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Deployed once, with short time limits."""
    with deployed_stage(bare_cloud, tmp_path_factory.mktemp("least"), "brand-l", OPTIONS, has_report=True) as stage:
        yield stage
