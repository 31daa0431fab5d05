"""Pages name files, links and headings that exist."""

import re
from pathlib import Path

import pytest

from tests.conftest import ROOT

PAGES = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    *(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md")),
]
TOPS = ("app.py", "cdk.json", ".ci", ".github", "benchmarks", "docs", "infra", "lambdas", "local", "tests")
# Made by commands, never committed.
MADE = (".build", ".venv", "node_modules")


def text_of(page: str) -> str:
    return (ROOT / page).read_text()


def named(text: str) -> set[str]:
    """The paths within the repository that stand in code spans: `infra/settings.py`, `lambdas/lake/`."""
    spans = re.findall(r"`([\w./-]+)`", text)
    return {
        span for span in spans if span.split("/")[0] in TOPS or re.search(r"^\S+/\S+\.(py|md|json|toml|yml)$", span)
    }


def anchors(text: str) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", text, re.MULTILINE)
    return {re.sub(r"[^a-z0-9_ -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    missing = [name for name in named(text_of(page)) if not (ROOT / name).exists() and name.split("/")[0] not in MADE]
    # `STEP.py` and the like stand for a name that the reader chooses.
    assert [name for name in missing if not re.search(r"[A-Z]{4}", Path(name).stem)] == []


@pytest.mark.parametrize("page", PAGES)
def test_every_link_of_a_page_leads_somewhere(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", text_of(page)):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        found = (ROOT / page).parent / path if path else ROOT / page
        assert found.exists(), target
        if anchor:
            assert anchor in anchors(found.read_text()), target


def test_the_pages_name_paths_at_all() -> None:
    assert len(named(text_of("CONTRIBUTING.md"))) > 20
    assert len(named(text_of("docs/design.md"))) > 5
