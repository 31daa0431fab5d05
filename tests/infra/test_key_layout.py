"""The layout of keys stands in one place (`lambdas/lake/storage/keys.py`); whatever lies outside derives from it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from lambdas.lake.storage import keys
from tests.conftest import ROOT

PREFIXES = (keys.RAW, keys.CURATED, keys.QUARANTINE, keys.QUERY_RESULTS, f"{keys.RUNS_TABLE}/")
SOURCES = sorted([ROOT / "app.py", *(path for folder in ("infra", "local") for path in (ROOT / folder).rglob("*.py"))])


def literals(source: str) -> Iterator[str]:
    """The texts of a module, f-strings' parts too, but no docstrings."""
    tree = ast.parse(source)
    docstrings = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docstrings:
            yield node.value


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_outside_of_the_functions_writes_a_prefix_of_its_own(path: Path) -> None:
    written = [text for text in literals(path.read_text()) if any(prefix in text for prefix in PREFIXES)]
    assert written == [], "Derive it from lambdas/lake/storage/keys.py."


@pytest.mark.parametrize("source", ['x = "raw/*"', 'x = f"curated/{y}"', 'x = f"s3://{y}/quarantine/"'])
def test_a_prefix_is_found_in_any_text(source: str) -> None:
    assert any(prefix in text for text in literals(source) for prefix in PREFIXES)
