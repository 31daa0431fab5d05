"""The changelog's newest column is what this release writes."""

import re
import tomllib

from lambdas.lake.profile import profile
from lambdas.lake.storage import landing
from lambdas.lake.tables import export_runs, glue_tables, shadow_table
from lambdas.ledger import items
from tests.conftest import ROOT

CHANGELOG = (ROOT / "CHANGELOG.md").read_text()


def test_the_newest_release_is_the_projects_version() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
    assert re.findall(r"^## ([\d.]+)$", CHANGELOG, re.MULTILINE)[0] == version
    assert re.findall(r"^\| format .* ([\d.]+) \|$", CHANGELOG, re.MULTILINE) == [version]
    assert f"Version {version} " in (ROOT / "README.md").read_text()


def test_the_formats_are_those_that_the_code_writes() -> None:
    stated = dict(re.findall(r"^\| ([\w` ]+) \| .* (\d+) \|$", CHANGELOG, re.MULTILINE))
    assert {name: int(version) for name, version in stated.items()} == {
        "manifest": landing.SCHEMA_VERSION,
        "table": int(glue_tables.SCHEMA_VERSION),
        "profile": profile.SCHEMA_VERSION,
        "shadow table": shadow_table.SCHEMA_VERSION,
        "`export_runs`": int(export_runs.SCHEMA_VERSION),
        "ledger": items.SCHEMA_VERSION,
    }
