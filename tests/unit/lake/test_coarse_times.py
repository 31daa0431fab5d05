"""Coarse event times: a contact may act twice on a day or in a minute, and a part of it is not the whole."""

from typing import Any

import duckdb
import pytest

from lambdas.lake.profile.evidence import Scope
from lambdas.lake.profile.window import ordered_window
from lambdas.vocabulary import Period
from tests.unit.lake.in_process_lake import InProcessLake
from tests.unit.lake.ordered_nights import event, load
from tests.unit.lake.profiles import ORDERED, decided, opens, undecided


def dated(**more: Any) -> list[dict[str, Any]]:
    """Events of two days, whose times are dates alone."""
    return [
        {"contactId": n % 4, "messageId": 7, "date": f"2026-11-2{n % 2 + 2}"}
        | {key: f"{value}{n}" for key, value in more.items()}
        for n in range(20)
    ]


def test_of_dates_alone_an_event_has_its_own_id_and_link_in_its_identity(engine: duckdb.DuckDBPyConnection) -> None:
    found = decided(engine, dated(eventId="e", url="u", id="r", note="n"))
    assert found.identity == ("contactId", "messageId", "eventId", "url")
    assert "identityFields" not in str(decided(engine, opens(eventId=5)))


def test_of_dates_alone_people_hear_that_another_field_may_tell_events_apart(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    found = decided(engine, dated(note="n"))
    assert (found.identity, found.event_time[0].is_date) == (("contactId", "messageId"), True)
    assert "dates alone" in str(found)
    assert "identityFields" in str(found)


def test_dates_alone_in_exports_of_one_day_are_undecided(engine: duckdb.DuckDBPyConnection) -> None:
    """Parts of a day in two exports that do not overlap: the smaller part would be lost."""
    window = ordered_window(Period.LAST_DAY, ORDERED)
    sentence = undecided(engine, dated(), scope=Scope("UTC", window), window=window)
    assert "nightlyPeriod" in sentence


def minutes(count: int) -> list[dict[str, Any]]:
    """Events whose times are whole minutes."""
    return [event(number, number) for number in range(count)]


NEVER_OVERLAPPING: dict[str, Any] = {"nightly_period": "LAST_DAY", "sweep_weekday": ""}


def test_whole_minutes_in_exports_that_never_overlap_are_refused(lake: InProcessLake) -> None:
    state = load(lake, minutes(20), 1, **NEVER_OVERLAPPING)
    assert (state.outcome, "whole minutes" in str(state.reason)) == ("undecided", True)
    assert load(lake, minutes(20), 2).outcome == "loaded"
    state = load(lake, minutes(20), 3, **NEVER_OVERLAPPING)
    assert (state.outcome, "LAST_3_DAYS" in str(state.reason)) == ("failed", True)


@pytest.mark.parametrize(
    ("count", "settings"),
    [(19, NEVER_OVERLAPPING), (20, NEVER_OVERLAPPING | {"sweep_weekday": "SUNDAY"}), (20, {"sweep_weekday": ""})],
)
def test_whole_minutes_are_loaded_where_exports_overlap_or_chance_may_make_them(
    lake: InProcessLake, count: int, settings: dict[str, Any]
) -> None:
    assert load(lake, minutes(count), 1, **settings).outcome == "loaded"
