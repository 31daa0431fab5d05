"""Event times that are dates alone: one contact may act twice on a day, and parts of a day are not the whole."""

from typing import Any

import duckdb

from lambdas.lake.profile.evidence import Scope
from lambdas.lake.profile.window import ordered_window
from lambdas.vocabulary import Period
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
