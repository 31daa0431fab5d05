"""The runbook explains every step of the smoke run, and lists what nobody has seen on AWS."""

import re

from local.smoke.smoke import STEPS
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "operations.md").read_text()


def test_every_step_is_explained() -> None:
    section = PAGE.split("\n## Smoke\n")[1].split("\n### ")[0]
    assert re.findall(r"^\| ([a-z' ]+) \| ", section, re.MULTILINE)[1:] == list(STEPS)


def test_what_was_never_seen_on_aws_are_steps_that_could_show_it() -> None:
    section = PAGE.split("\n### Never seen on AWS\n")[1].split("\n## ")[0]
    assert set(re.findall(r"^- ([a-z' ]+): ", section, re.MULTILINE)) <= set(STEPS)
