"""The page of the first week: its settings are ones that a deployment takes."""

import re
import shlex
from typing import Any

import pytest

from infra.settings import Settings, from_context
from lambdas.vocabulary import Period
from tests.conftest import ROOT
from tests.infra.synthesis import CONTEXT

PAGE = (ROOT / "docs" / "operations.md").read_text()
DEPLOYMENTS = re.findall(r"^make deploy (CDK=.*)$", PAGE, re.MULTILINE)


def settings(line: str) -> Settings:
    """The settings of a team with an alert address, and those of a line on top."""
    (options,) = shlex.split(line)
    words = shlex.split(options.removeprefix("CDK="))
    assert words[::2] == ["-c"] * (len(words) // 2)
    given: dict[str, Any] = dict(word.split("=", 1) for word in words[1::2])
    return from_context(CONTEXT | {"customerId": "1234", "alertEmails": ["team@example.com"]} | given)


def test_the_page_deploys_with_settings_at_all() -> None:
    assert len(DEPLOYMENTS) >= 3


@pytest.mark.parametrize("line", DEPLOYMENTS)
def test_every_deployment_of_the_page_has_settings_that_can_be_used(line: str) -> None:
    assert settings(line) != settings("CDK=")


def test_the_readmes_first_screen_says_how_far_back_the_vendor_exports() -> None:
    assert max(period.trusted for period in Period) == Period.LAST_2_WEEKS.trusted
    first = (ROOT / "README.md").read_text().split("```")[0]
    assert "**No history beyond two weeks.**" in first.replace("\n", " ")
