"""The command `profile` and the load agree on what a file becomes."""

import json
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas.lake.profile.profile import IdentityKind
from lambdas.ledger import orders as orders_of_the_ledger
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES, Period
from local.profiling.options import Options, Order
from local.profiling.profiling import profile
from tests.conftest import ROOT
from tests.unit.fakes import make_settings
from tests.unit.lake.in_process_lake import InProcessLake, lines
from tests.unit.lake.ordered_nights import seen

SHAPES = ROOT / "tests" / "fixtures" / "shapes"
EXPECTED: dict[str, dict[str, Any]] = json.loads((SHAPES / "expected.json").read_text())
ORDERS = ("2026-11-24T03:30:00+00:00", "2026-11-25T03:30:00+00:00")


def agreed(lake: InProcessLake, export: str, files: list[Path]) -> list[dict[str, Any]]:
    """The files' documents, after a load of each that ended as they say."""
    lake.settings = replace(lake.settings, event_time={}, unknown_time_ratio=0.01, quarantine_ratio=0.001)
    orders = tuple(Order(datetime.fromisoformat(at), Period.LAST_3_DAYS) for at in ORDERS[: len(files)])
    found = profile(files, Options(lake.settings, EXPORT_TYPES[export], orders))
    for file, at, document in zip(files, ORDERS, found, strict=False):
        ledger = lake.ledger(EXPORT_TYPES[export])
        ledger.write_order(lake.execution(), orders_of_the_ledger.Order(at, 0, file.stem, at), "LAST_3_DAYS")
        state = lake.load(file.read_bytes(), export, (at, file.stem), period="LAST_3_DAYS")
        assert (state.outcome == Outcome.LOADED) == document["loadable"], state.reason
        if state.tally is not None:
            assert state.tally["read"] == document["records"]
            days = {day: counts["read"] for day, counts in state.tally["days"].items()}
            assert days == (document["days"] or {"all": document["records"]})
        else:
            assert state.reason == document["problems"][0]
    table = lake.catalog.table(EXPORT_TYPES[export])
    if table is not None:
        newest = found[-1]
        assert [(one["field"], one["format"], one["timeZone"]) for one in newest["eventTime"]] == [
            (one.field, one.format.value, one.time_zone) for one in table.profile.event_time
        ]
        assert newest["identity"] == {"kind": table.profile.kind.value, "fields": list(table.profile.identity)}
        assert newest["roles"] == table.profile.roles
    return found


@pytest.mark.parametrize("export", EXPECTED)
def test_on_both_nights_of_a_sample(lake: InProcessLake, export: str) -> None:
    found = agreed(lake, export, [SHAPES / name for name in EXPECTED[export]["files"]])
    assert all(one["loadable"] for one in found)


def test_on_a_night_that_contradicts_the_first_for_good(lake: InProcessLake, tmp_path: Path) -> None:
    """Other contacts at the same times, whatever identifies the events."""
    files = []
    for night in range(2):
        events = [
            {"contactId": f"C{night}-{n}", "openTime": f"2026-11-{21 + n % 3}T10:{n % 60:02}:00.{n:03}Z", "to": night}
            for n in range(300)
        ]
        files.append(tmp_path / f"opens-{night}.json")
        files[-1].write_bytes(lines(events))
    first, second = profile(
        files,
        Options(make_settings(), None, tuple(Order(datetime.fromisoformat(at), Period.LAST_3_DAYS) for at in ORDERS)),
    )
    assert first["loadable"]
    assert not second["loadable"]
    assert "contradicts" in second["problems"][0]
    assert "No other reading of the fields agrees either" in second["problems"][0]
    assert second["audit"][0]["onlyThere"] == second["audit"][0]["onlyHere"] > 200


def test_on_nights_after_which_the_table_is_made_again(lake: InProcessLake, tmp_path: Path) -> None:
    """Of two times with names that say nothing, the one taken first is another in each export."""
    files = []
    for night in range(2):
        files.append(tmp_path / f"opens-{night}.json")
        files[-1].write_bytes(lines(seen(number, night) for number in range(100 + 10 * night)))
    first, second = agreed(lake, "OPENS", files)
    assert [one["eventTime"][0]["field"] for one in (first, second)] == ["sedd", "oppnat"]
    assert any("makes the table again" in note for note in second["notes"])
    assert (second["audit"][0]["inBoth"], second["audit"][0]["onlyThere"]) == (100, 0)


@pytest.mark.parametrize("name", ["undecided", "no time", "cut"])
def test_on_a_file_that_cannot_be_loaded(lake: InProcessLake, tmp_path: Path, name: str) -> None:
    file = tmp_path / "opens.json"
    content = {
        "undecided": lines([{"contactId": n, "when": "never"} for n in range(20)]),
        "no time": lines([{"contactId": 1, "openTime": "2026-11-23T10:00:00Z"}]),
        "cut": b"[{}, {",
    }
    file.write_bytes(content[name])
    (found,) = agreed(lake, "OPENS", [file])
    assert found["identity"]["kind"] == IdentityKind.NONE
