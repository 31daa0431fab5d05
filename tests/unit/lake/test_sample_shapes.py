"""Seven exports of two overlapping nights, each in another shape, as `tests/fixtures/shapes/expected.json` says."""

import json
from collections import Counter
from typing import Any

import pytest

from tests.conftest import ROOT
from tests.unit.lake.in_process_lake import Age, InProcessLake

pytestmark = pytest.mark.no_cover

FOLDER = ROOT / "tests" / "fixtures" / "shapes"
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
NIGHTS: dict[int, Age] = {
    1: ("2026-11-24T03:30:00.000000+00:00", "night-1"),
    2: ("2026-11-25T03:30:00.000000+00:00", "night-2"),
}


def load(lake: InProcessLake, export: str, night: int, *, is_repeat: bool = False) -> None:
    content = (FOLDER / EXPECTED[export]["files"][night - 1]).read_bytes()
    ordered_at, batch_id = NIGHTS[night]
    at = (ordered_at.replace(":30:", ":50:"), f"{batch_id}-again") if is_repeat else (ordered_at, batch_id)
    state = lake.load(content, export, at, period="LAST_3_DAYS", event_time={}, unknown_time_ratio=0.01)
    assert state.outcome == "loaded", state.reason


@pytest.mark.parametrize("export", EXPECTED)
@pytest.mark.parametrize("order", [(1, 2), (2, 1), (1, 2, 1), (2, 1, 2)])
def test_overlapping_nights_of_any_shape_add_up_in_any_order(
    lake: InProcessLake, export: str, order: tuple[int, ...]
) -> None:
    for number, night in enumerate(order):
        load(lake, export, night, is_repeat=number == 2)
    rows = lake.rows(export)
    assert len(rows) == EXPECTED[export]["rows"]
    if "days" in EXPECTED[export]:
        assert Counter(row["dt"] for row in rows) == EXPECTED[export]["days"]
    assert all(row["_rescued"] is None for row in rows)


@pytest.mark.parametrize("export", ["LISTS", "CAMPAIGNS"])
@pytest.mark.parametrize("order", [(1, 2), (2, 1)])
def test_entities_hold_the_state_of_the_newest_night(lake: InProcessLake, export: str, order: tuple[int, ...]) -> None:
    for night in order:
        load(lake, export, night)
    newest = json.loads((FOLDER / EXPECTED[export]["files"][1]).read_text())
    sizes = {str(record.get("id", record.get("ID"))): record.get("size", record.get("Size")) for record in newest}
    found = {row["id"]: row["size"] for row in lake.rows(export)}
    assert {key: found[key] for key in sizes} == sizes
