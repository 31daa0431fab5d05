"""The metrics as docs/metrics.md defines them: its tables, and its example that is computed by hand."""

import re
from collections.abc import Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest

from checks.metrics_doc import DOCUMENT, renewed
from lambdas.lake.views.metrics import COUNTS, RATES
from lambdas.lake.views.recent import campaign_query
from lambdas.lake.views.sources import EVENT_TYPES
from tests.unit.views.lakes import Lake, event

_KEYS = ("dt", "contact", "campaign", "channel", "send_number", "link")


def test_the_page_has_the_metrics_as_they_are_defined() -> None:
    assert renewed(DOCUMENT.read_text()) == DOCUMENT.read_text(), "make docs"


def test_rates_are_of_counts() -> None:
    counts = {one.name for one in COUNTS}

    assert {name for one in RATES for name in (one.numerator, one.denominator)} <= counts


@pytest.mark.parametrize(
    ("view", "number"),
    [("campaign_performance", 2), ("campaign_daily", 2), ("email_sends", 1), ("link_clicks", 1)],
)
def test_the_example_has_the_numbers_that_are_computed_by_hand(view: str, number: int) -> None:
    lake = _example()
    found = lake.query(f"SELECT * FROM {view}")
    for expected in _tables(f"`{view}`", number):
        assert _keyed(_as_written(row, expected[0]) for row in found) == _keyed(expected)


def test_the_morning_report_has_the_numbers_of_the_example_too() -> None:
    lake = _example()
    view = lake.query("SELECT * FROM campaign_performance WHERE sent > 0")
    last = max(row["last_dt"] for row in view)
    found = lake.query_recent(campaign_query, date.fromisoformat(last) + timedelta(days=1))
    assert len(found) == len(view) > 1
    for row in found:
        (expected,) = (one for one in view if (one["campaign"], one["channel"]) == (row["campaign"], row["channel"]))
        assert {name: expected[name] for name in row} == row


def _example() -> Lake:
    """The events of the page."""
    lake = Lake()
    (events,) = _tables("An example, by hand", 1)
    assert len(events) == 26
    for one in events:
        more = {"link_target": one["link"]} if one["event"] == "click" else {}
        row = event(one["contact"], one["campaign"], one["at (UTC)"], channel=one["channel"], **more)
        lake.add(EVENT_TYPES[one["event"]], [row])
    return lake


def _tables(heading: str, number: int) -> list[list[dict[str, str]]]:
    """So many tables of the page after a heading."""
    text = DOCUMENT.read_text()
    text = text[text.index("## An example, by hand") :]
    blocks = re.findall(r"(?:^\|.*\n)+", text[text.index(heading) :], re.MULTILINE)
    found = []
    for block in blocks[:number]:
        lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()]
        found.append([dict(zip(lines[0], line, strict=True)) for line in lines[2:]])
    return found


def _as_written(row: Mapping[str, Any], like: Mapping[str, str]) -> dict[str, str]:
    return {name: _written(row[name], like[name]) for name in like}


def _written(value: Any, _like: str) -> str:
    if value is None:
        return "NULL"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _keyed(rows: Any) -> dict[tuple[str, ...], dict[str, Any]]:
    """Rows by what tells them apart, with fractions as the numbers that they are."""
    return {
        tuple(row.get(key, "") for key in _KEYS): {name: _number(text) for name, text in row.items()} for row in rows
    }


def _number(text: str) -> Any:
    if re.fullmatch(r"\d+/\d+", text):
        return pytest.approx(float(Fraction(text)))
    if re.fullmatch(r"\d+(\.\d+)?(e-\d+)?", text):
        return float(text)
    return text
