"""The stack, synthesized once for all tests of its template."""

import pytest

from tests.infra.synthesis import Template, synthesized


@pytest.fixture(scope="session")
def template() -> Template:
    return synthesized()
