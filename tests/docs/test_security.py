"""The page for a security review is true: its tests exist, and its numbers and names are those of the code."""

import json
import re

import msgspec
import pytest

from infra.functions import FUNCTION_SIZES
from infra.settings import Settings
from lambdas.lake.storage import keys
from tests.conftest import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
LOCKED = ["requirements-dev.txt", "requirements.txt", *(f"lambdas/requirements{part}.txt" for part in ("", "-load"))]
LOCKED += ["local/requirements-cloud.txt"]


def table(heading: str) -> list[list[str]]:
    """The rows of a section's table."""
    text = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in row] for row in rows[1:]]


def test_every_threat_has_a_guard_and_tests_that_exist() -> None:
    rows = table("Threats")
    assert len(rows) >= 5
    for threat, guard, tests in rows:
        links = re.findall(r"\[`(test_\w+)`\]\(\.\./(tests/[\w/]+\.py)\)", tests)
        assert guard, threat
        assert links, threat
        assert len(links) == tests.count("test_") - tests.count("/test_"), threat
        for name, path in links:
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}: {name}"


def test_every_default_on_the_page_is_the_settings() -> None:
    defaults = {field.encode_name: field.default for field in msgspec.structs.fields(Settings)}
    stated = re.findall(r"`(\w+)` \((\w+)\)", PAGE)
    assert len(stated) >= 8
    for name, value in stated:
        assert json.dumps(defaults[name]) == value, name
    named = set(re.findall(r"`([a-z]+[A-Z]\w+)`", PAGE))
    assert named <= set(defaults)


def test_every_function_and_every_prefix_has_its_row() -> None:
    roles = {cell.strip("`") for cell, *_ in table("Roles") if cell.startswith("`")}
    assert roles == set(FUNCTION_SIZES)
    stored = " ".join(cell for cell, *_ in table("What is stored, and for how long"))
    for prefix in (keys.RAW, keys.QUARANTINE, keys.CURATED, keys.QUERY_RESULTS):
        assert f"`{prefix}`" in stored


@pytest.mark.parametrize("name", LOCKED)
def test_every_locked_package_of_python_has_its_hashes(name: str) -> None:
    assert f"`{name}`" in PAGE
    packages = re.split(r"^(?=\S)", (ROOT / name).read_text(), flags=re.MULTILINE)
    assert len(packages) > 1
    for package in filter(str.strip, packages):
        assert "--hash=sha256:" in package, package.splitlines()[0]


def test_every_locked_package_of_node_has_its_hash() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]
    assert len(packages) > 3
    assert all(one["integrity"].startswith("sha512-") for name, one in packages.items() if name)


def test_cdk_reports_to_nobody() -> None:
    chosen = json.loads((ROOT / "cdk.json").read_text())
    assert chosen["versionReporting"] is False
    assert chosen["context"]["cli-telemetry"] is False
