"""Which profile an export's records support: names are hints, evidence decides, and where it does not, people do."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from lambdas.lake.profile import profile as stored_profile
from lambdas.lake.profile import sample
from lambdas.lake.profile.evidence import Scope
from lambdas.lake.profile.profile import EventTime, IdentityKind, Profile
from lambdas.lake.profile.window import ordered_window
from lambdas.schema_version import WrittenByNewer
from lambdas.vocabulary import Period, TimeFormat
from tests.unit.lake.profiles import ORDERED, decided, moment, opens, undecided


def at(profile: Profile) -> tuple[str, ...]:
    return profile.times


# The time of the event


def test_a_profile_has_the_time_its_format_and_who_and_what(engine: duckdb.DuckDBPyConnection) -> None:
    assert decided(engine, opens(eventId=5, linkTarget="x")) == Profile(
        event_time=(EventTime("timestamp", TimeFormat.ISO_8601, "Europe/Stockholm"),),
        identity=("contactId", "messageId"),
        roles={"contact": "contactId", "message": "messageId", "link": "linkTarget"},
    )


@pytest.mark.parametrize(
    ("decoy", "better"),
    [
        (lambda n: {"timestamp": moment(n, hours=1).isoformat()}, "openTime"),
        (lambda n: {"created": moment(n, hours=1).isoformat()}, "timestamp"),
        (lambda n: {"sentTimestamp": moment(n, hours=1).isoformat()}, "timestamp"),
        (lambda n: {"updated": moment(n, hours=1).isoformat()}, "when"),
        (lambda n: {"inner": {"openTime": moment(n, hours=1).isoformat()}}, "openTime"),
    ],
)
def test_the_likelier_name_decides_between_times_that_the_evidence_admits(
    engine: duckdb.DuckDBPyConnection, decoy: Any, better: str
) -> None:
    records = [decoy(n) | {"contactId": n, better: moment(n).isoformat()} for n in range(20)]
    assert at(decided(engine, records)) == (better,)


@pytest.mark.parametrize(
    ("decoy", "expected"),
    [
        # The most likely name, whose values cannot be the times of these events.
        (lambda n: "2026-11-24T03:00:00Z", "the same in all"),
        (lambda n: (moment(n) - timedelta(days=60)).isoformat(), "before the window"),
        (lambda n: (moment(n) + timedelta(days=60)).isoformat(), "after the window"),
        (lambda n: moment(n).isoformat() if n % 10 else None, "not in all records"),
        (lambda n: moment(n).isoformat() if n % 10 else "0000-00-00", "never, in some"),
        (lambda n: 0, "never"),
        (lambda n: f"C{n}", "no time"),
        (lambda n: [moment(n).isoformat(), moment(n).isoformat()], "several times"),
    ],
)
def test_evidence_overrules_a_name(engine: duckdb.DuckDBPyConnection, decoy: Any, expected: str) -> None:
    records = [{"openTime": decoy(n), "contactId": n, "created": moment(n).isoformat()} for n in range(20)]
    assert at(decided(engine, records)) == ("created",), expected


@pytest.mark.parametrize(
    ("outside", "missing", "is_usable"), [(1, 0, True), (4, 0, False), (0, 0, True), (0, 1, True), (0, 2, False)]
)
def test_nearly_all_records_have_the_time_and_most_in_the_window(
    engine: duckdb.DuckDBPyConnection, outside: int, missing: int, is_usable: bool
) -> None:
    """A hundred records, or sixty: 99 % have it, and 95 % of these lie in the window."""
    records = opens(100 if missing else 60)
    for record in records[:outside]:
        record["timestamp"] = "2020-01-01T00:00:00Z"
    for record in records[:missing]:
        record["timestamp"] = None
    if is_usable:
        assert at(decided(engine, records)) == ("timestamp",)
    else:
        assert "No field of OPENS is certainly the time of its events" in undecided(engine, records)


def test_the_window_has_slack_for_calendar_weeks_and_ends_with_the_order() -> None:
    window = ordered_window(Period.LAST_WEEK, ORDERED)
    assert window.start == ORDERED - timedelta(days=14)
    assert ORDERED <= window.end <= ORDERED + timedelta(days=1)


@pytest.mark.parametrize(
    ("value", "sentence"),
    [
        (
            "2026-11-24T03:00:00Z",
            "timestamp (iso-8601: 20 of 20 records have one, 20 in the span that was ordered, 1 differ",
        ),
        ("2020-01-01T00:00:00Z", "0 in the span that was ordered"),
        ("soon", "No field looks like a time."),
        (None, "No field looks like a time."),
    ],
)
def test_an_export_of_events_without_a_time_is_undecided_and_says_what_was_seen(
    engine: duckdb.DuckDBPyConnection, value: Any, sentence: str
) -> None:
    reason = undecided(engine, opens() if value == "" else [{**one, "timestamp": value} for one in opens()])
    assert sentence in reason
    assert "setting eventTime" in reason
    assert "contactId, messageId" in reason


def test_a_single_instant_is_too_little_evidence(engine: duckdb.DuckDBPyConnection) -> None:
    assert "1 differ" in undecided(engine, opens(1))
    assert at(decided(engine, opens(2))) == ("timestamp",)


def test_events_in_arrays_within_records_are_undecided(engine: duckdb.DuckDBPyConnection) -> None:
    records = [{"messageId": n, "opens": [{"time": moment(n).isoformat()}]} for n in range(20)]
    assert "No field looks like a time." in undecided(engine, records)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("event.time", lambda n: {"event": {"time": moment(n).isoformat()}}),
        ("timestamp.$date", lambda n: {"timestamp": {"$date": moment(n).isoformat()}}),
        ("timestamp.$date", lambda n: {"timestamp": {"$date": int(moment(n).timestamp() * 1000)}}),
        ("a.b.c", lambda n: {"a": {"b": {"c": int(moment(n).timestamp())}}}),
        ("event.time", lambda n: {"event.time": moment(n).isoformat()}),
        ("when", lambda n: {"when": list(moment(n).timetuple()[:6])}),
    ],
)
def test_a_time_may_lie_inside_an_object(engine: duckdb.DuckDBPyConnection, path: str, value: Any) -> None:
    assert at(decided(engine, [{"contactId": n} | value(n) for n in range(20)])) == (path,)


# The day or the month first


def slashed(numbers: Iterable[int], pattern: str = "%d/%m/%Y %H:%M") -> list[dict[str, Any]]:
    return [{"contactId": n, "timestamp": moment(n * 60).strftime(pattern)} for n in numbers]


@pytest.mark.parametrize(
    ("pattern", "of"), [("%d/%m/%Y %H:%M", TimeFormat.DAY_FIRST), ("%m/%d/%Y %I:%M %p", TimeFormat.MONTH_FIRST)]
)
def test_all_records_together_decide_whether_the_day_or_the_month_comes_first(
    engine: duckdb.DuckDBPyConnection, pattern: str, of: TimeFormat
) -> None:
    assert decided(engine, slashed(range(40), pattern)).event_time[0].format is of


def test_where_both_fit_the_window_decides_which_comes_first(engine: duckdb.DuckDBPyConnection) -> None:
    scope = Scope("UTC", ordered_window(Period.LAST_3_DAYS, datetime(2026, 4, 6, tzinfo=UTC)))
    records = [{"contactId": n, "timestamp": f"0{3 + n % 3}/04/2026 10:{n:02}"} for n in range(20)]
    assert decided(engine, records, scope=scope).event_time[0].format is TimeFormat.DAY_FIRST


@pytest.mark.parametrize("chosen", [{}, {"event_time": ("timestamp",)}])
def test_where_even_the_window_admits_both_people_decide(
    engine: duckdb.DuckDBPyConnection, chosen: dict[str, Any]
) -> None:
    scope = Scope("UTC", ordered_window(Period.LAST_2_WEEKS, datetime(2026, 4, 6, tzinfo=UTC)))
    records = [{"contactId": n, "timestamp": f"04/04/2026 10:{n:02}"} for n in range(20)]
    reason = undecided(engine, records, scope=scope, **chosen)
    assert "may begin with the day or with the month, and both fit" in reason
    assert 'eventTime: {"OPENS": {"field": "timestamp", "format": "day-first"}}' in reason
    told: dict[str, Any] = {"event_time": ("timestamp",), "formats": {"timestamp": TimeFormat.MONTH_FIRST}}
    assert decided(engine, records, scope=scope, **told).event_time[0].format is TimeFormat.MONTH_FIRST


# Who, and the key


def test_what_all_records_share_does_not_say_to_whom(engine: duckdb.DuckDBPyConnection) -> None:
    records = [{"customerId": 4711, "email": f"{n}@example.com", **one} for n, one in enumerate(opens())]
    for record in records:
        del record["contactId"]
    assert decided(engine, records).identity == ("email", "messageId")
    assert decided(engine, opens(messageId=7)).identity == ("contactId", "messageId")


def test_a_field_that_few_records_have_does_not_say_who_if_another_does(engine: duckdb.DuckDBPyConnection) -> None:
    records = [{"recipient": f"r{n}", **one} for n, one in enumerate(opens())]
    for record in records[:10]:
        del record["contactId"]
    assert decided(engine, records).identity == ("recipient", "messageId")


def test_without_who_and_what_all_fields_identify_an_event(engine: duckdb.DuckDBPyConnection) -> None:
    found = decided(engine, [{"size": n, "when": moment(n).isoformat()} for n in range(20)])
    assert (found.kind, found.identity, found.has_days) == (IdentityKind.NONE, (), True)


@pytest.mark.parametrize("field", ["sentTimestamp", "timestamp", "sendDate"])
def test_messages_to_one_person_each_have_days(engine: duckdb.DuckDBPyConnection, field: str) -> None:
    records = [{"id": n, "contactId": n, field: moment(n).isoformat(), "readTimestamp": None} for n in range(20)]
    found = decided(engine, records, "MESSAGES")
    assert (found.times, found.identity) == ((field,), ("contactId",))


@pytest.mark.parametrize(
    "more",
    [
        lambda n: {"sentTimestamp": moment(n).isoformat()},
        lambda n: {"contactId": 5, "created": moment(n).isoformat()},
        lambda n: {"contactId": 5, "updatedTimestamp": moment(n).isoformat()},
        lambda n: {"contactId": 5, "readTimestamp": moment(n).isoformat()},
        lambda n: {"contactId": 5},
    ],
)
def test_messages_that_are_things_have_a_key(engine: duckdb.DuckDBPyConnection, more: Any) -> None:
    found = decided(engine, [{"id": n} | more(n) for n in range(20)], "MESSAGES")
    assert (found.kind, found.identity, found.has_days) == (IdentityKind.KEY, ("id",), False)
    assert found.roles["key"] == "id"


def test_entities_have_no_days_whatever_their_times(engine: duckdb.DuckDBPyConnection) -> None:
    records = [{"listId": n, "contactId": n, "timestamp": moment(n).isoformat()} for n in range(20)]
    assert not decided(engine, records, "LISTS").has_days


def test_two_foreign_ids_are_candidates_and_no_key(engine: duckdb.DuckDBPyConnection) -> None:
    reason = undecided(engine, [{"projectId": n, "groupId": n} for n in range(20)], "LISTS")
    assert "No field of LISTS is certainly the key" in reason
    assert "Candidates are groupId, projectId." in reason
    assert "setting identityFields" in reason
    assert decided(engine, [{"projectId": n} for n in range(20)], "LISTS").identity == ("projectId",)


# The table's parameter


def test_a_profile_is_read_as_it_was_written(engine: duckdb.DuckDBPyConnection) -> None:
    for found in (decided(engine, opens()), decided(engine, [{"id": n} for n in range(9)], "LISTS"), Profile()):
        text = json.dumps(stored_profile.to_json(found))
        assert stored_profile.from_json(json.loads(text), "opens") == found


def test_a_profile_of_a_newer_version_is_refused(engine: duckdb.DuckDBPyConnection) -> None:
    written = stored_profile.to_json(Profile()) | {"version": stored_profile.SCHEMA_VERSION + 1}
    with pytest.raises(WrittenByNewer, match="The profile of opens"):
        stored_profile.from_json(written, "opens")


def test_of_two_times_of_unknown_names_the_one_that_tells_more_events_apart_is_theirs(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    records = [
        {"nr": n % 9, "skickat": moment(n // 5 * 5, hours=3).isoformat(), "oppnat": moment(n).isoformat()}
        for n in range(60)
    ]
    assert decided(engine, records).times == ("oppnat",)


def test_an_object_whose_own_name_has_a_dot_has_no_paths_that_nobody_could_follow() -> None:
    fields = {"meta.data": [b'{"contactId":1}'], "meta.kind": [b'"x"'], "meta": [b'{"id":2}']}
    assert set(sample.flattened(fields)) == {"meta.kind", "meta.id"}
    assert all(sample.at(fields, path) is not None for path in sample.flattened(fields))
