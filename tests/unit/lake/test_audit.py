"""Every load is audited by its overlap with the table: what contradicts a settled table is not published."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from lambdas.execution import RunState
from lambdas.outcome import Outcome
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import InProcessLake, lines
from tests.unit.lake.shapes import ORDERED

Record = Mapping[str, Any]


def exported(night: int) -> list[dict[str, Any]]:
    """The events of the three days before a night: one each quarter of an hour."""
    quarters = range((night - 3) * 96, night * 96)
    return [
        {"contactId": f"c{n % 50}", "messageId": n % 3, "at": (ORDERED + timedelta(minutes=15 * n)).isoformat(), "n": n}
        for n in quarters
    ]


def load(lake: InProcessLake, records: Iterable[Record], night: int) -> RunState:
    at = (ORDERED + timedelta(days=night)).isoformat(timespec="microseconds")
    return lake.load(lines(records), "OPENS", (at, f"b{night}"), period="LAST_3_DAYS")


@pytest.fixture
def settled(lake: InProcessLake) -> InProcessLake:
    """A lake whose table two nights have settled."""
    lake.settings = replace(lake.settings, event_time={}, unknown_time_ratio=0.01)
    for night in range(2):
        assert load(lake, exported(night), night).outcome == Outcome.LOADED
    assert is_settled(lake)
    return lake


def is_settled(lake: InProcessLake) -> bool:
    table = lake.catalog.table(EXPORT_TYPES["OPENS"])
    return table is not None and table.profile.is_settled


def numbers(lake: InProcessLake) -> list[int]:
    return sorted(row["n"] for row in lake.rows("OPENS"))


def expected(*nights: int) -> list[int]:
    return sorted({record["n"] for night in nights for record in exported(night)})


def without(records: Iterable[Record], field: str) -> list[Record]:
    return [{name: value for name, value in record.items() if name != field} for record in records]


def test_an_export_that_has_lost_a_field_of_the_identity_is_refused_though_nothing_overlaps(
    settled: InProcessLake,
) -> None:
    state = load(settled, without(exported(9), "contactId"), 9)
    assert state.outcome == Outcome.FAILED
    assert "none of its 288 records has contactId" in str(state.reason)
    assert numbers(settled) == expected(0, 1)


def test_a_few_records_may_lack_a_field_of_the_identity(settled: InProcessLake) -> None:
    assert load(settled, without(exported(9)[:19], "contactId"), 9).outcome == Outcome.LOADED


def test_a_blocked_table_takes_rows_again_from_an_export_that_agrees(settled: InProcessLake) -> None:
    changed = [{**record, "contactId": f"other-{record['contactId']}"} for record in exported(2)]
    state = load(settled, changed, 2)
    assert state.outcome == Outcome.FAILED
    assert "nothing is merged until this is resolved" in str(state.reason)
    # Nothing in common with the table, so it shows nothing.
    assert "is blocked" in str(load(settled, exported(12), 12).reason)
    assert numbers(settled) == expected(0, 1)
    assert load(settled, exported(3), 3).outcome == Outcome.LOADED
    assert numbers(settled) == expected(0, 1, 3)


def test_an_export_that_has_everything_twice_is_left_out_alone(settled: InProcessLake) -> None:
    state = load(settled, exported(2) * 2, 2)
    assert state.outcome == Outcome.FAILED
    assert "left out of the table" in str(state.reason)
    assert "nothing is merged" not in str(state.reason)
    assert load(settled, exported(3), 3).outcome == Outcome.LOADED
    assert numbers(settled) == expected(0, 1, 3)


@pytest.mark.parametrize(("first", "then"), [(2, 1), (1, 2), (3, 0), (0, 3)])
def test_dates_alone_agree_in_any_order_since_both_ends_of_every_export_are_partial(
    lake: InProcessLake, first: int, then: int
) -> None:
    lake.settings = replace(lake.settings, event_time={}, unknown_time_ratio=0.01)
    for night in (first, then, 1, 2):
        dates = [{**record, "at": record["at"][:10], "contactId": f"c{record['n'] % 3}"} for record in exported(night)]
        assert load(lake, dates, night).reason is None
    assert numbers(lake) == sorted({n for night in (first, then, 1, 2) for n in expected(night)})


def test_a_field_that_is_the_same_everywhere_identifies_no_event_of_a_day(lake: InProcessLake) -> None:
    lake.settings = replace(lake.settings, event_time={}, unknown_time_ratio=0.01)
    for night, lacks in ((0, -100), (1, -50)):
        dates = [{"customerId": 4711, "at": record["at"][:10], "n": record["n"]} for record in exported(night)]
        assert load(lake, [one for one in dates if one["n"] != lacks], night).outcome == Outcome.LOADED
    assert numbers(lake) == expected(0, 1)
