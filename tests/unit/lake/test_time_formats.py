"""Times as vendors write them: each format becomes the instant that it means, and nothing else becomes one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from email.utils import format_datetime
from zoneinfo import ZoneInfo

import duckdb
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.profile.time_formats import formats_of, has_no_offset, instant, instant_in
from lambdas.vocabulary import TimeFormat
from tests.unit.lake.properties import examples

pytestmark = pytest.mark.no_cover

STOCKHOLM = "Europe/Stockholm"
ISO, SECONDS, RFC = TimeFormat.ISO_8601, TimeFormat.EPOCH_SECONDS, TimeFormat.RFC_2822
MILLISECONDS, MICROSECONDS, NANOSECONDS = (
    TimeFormat.EPOCH_MILLISECONDS,
    TimeFormat.EPOCH_MICROSECONDS,
    TimeFormat.EPOCH_NANOSECONDS,
)
JAVA, ARRAY, DOT_NET = TimeFormat.JAVA_DATE, TimeFormat.JAVA_ARRAY, TimeFormat.DOT_NET
DAY_FIRST, MONTH_FIRST = TimeFormat.DAY_FIRST, TimeFormat.MONTH_FIRST


def read(engine: duckdb.DuckDBPyConnection, value: str, of: TimeFormat, zone: str = STOCKHOLM) -> str | None:
    """The instant in a text, as UTC without the offset."""
    row = engine.execute(
        f"SELECT ({instant('t', of, zone)})::VARCHAR FROM (SELECT ?::VARCHAR AS t)", [value]
    ).fetchone()
    assert row is not None
    return None if row[0] is None else str(row[0]).removesuffix("+00")


@pytest.mark.parametrize(
    ("of", "value", "expected"),
    [
        (ISO, "2026-11-23T18:05:16Z", "2026-11-23 18:05:16"),
        (ISO, "2026-11-23T18:05:16z", "2026-11-23 18:05:16"),
        (ISO, "2026-11-23t18:05:16Z", "2026-11-23 18:05:16"),
        (ISO, "2026-11-23T18:05:16.123+02:00", "2026-11-23 16:05:16.123"),
        (ISO, "2026-11-23T18:05:16+0200", "2026-11-23 16:05:16"),
        (ISO, "2026-11-23T18:05+02", "2026-11-23 16:05:00"),
        (ISO, "2026-11-23T18:05:16-04:30", "2026-11-23 22:35:16"),
        (ISO, "2026-11-23 18:05:16 +0200", "2026-11-23 16:05:16"),
        (ISO, "2026-11-23 18:05:16 UTC", "2026-11-23 18:05:16"),
        (ISO, "2026-11-23T18:05:16Z[UTC]", "2026-11-23 18:05:16"),
        (ISO, "2026-11-23T18:05:16,5+01:00[Europe/Berlin]", "2026-11-23 17:05:16.5"),
        (ISO, "2026-11-23T18:05:16.4812093Z", "2026-11-23 18:05:16.481209"),
        (ISO, "2026-11-23T18:05:16.123456789Z", "2026-11-23 18:05:16.123456"),
        (ISO, "2026-11-23 18:05:16", "2026-11-23 17:05:16"),
        (ISO, "2026-11-23T18:05", "2026-11-23 17:05:00"),
        (ISO, "2026-11-23", "2026-11-22 23:00:00"),
        (ISO, "20261123T180516Z", "2026-11-23 18:05:16"),
        (ISO, "20261123T180516.5+0100", "2026-11-23 17:05:16.5"),
        (ISO, "20261123180516", "2026-11-23 17:05:16"),
        (ISO, "20261123", "2026-11-22 23:00:00"),
        (ISO, "  2026-11-23T18:05:16Z ", "2026-11-23 18:05:16"),
        (SECONDS, "1795457116", "2026-11-23 18:05:16"),
        (SECONDS, "1795457116.25", "2026-11-23 18:05:16.25"),
        (SECONDS, "1795457116.123456", "2026-11-23 18:05:16.123456"),
        (MILLISECONDS, "1795457116123", "2026-11-23 18:05:16.123"),
        (MILLISECONDS, "1795457116123.5", "2026-11-23 18:05:16.1235"),
        (MICROSECONDS, "1795457116123456", "2026-11-23 18:05:16.123456"),
        (NANOSECONDS, "1795457116123456789", "2026-11-23 18:05:16.123456"),
        (RFC, "Mon, 23 Nov 2026 18:05:16 +0100", "2026-11-23 17:05:16"),
        (RFC, "23 Nov 2026 18:05:16 GMT", "2026-11-23 18:05:16"),
        (RFC, "Monday, 23-November-2026 18:05:16 EST", "2026-11-23 23:05:16"),
        (RFC, "Mon, 23 Nov 2026 18:05:16 +0000 (UTC)", "2026-11-23 18:05:16"),
        (JAVA, "Mon Nov 23 18:05:16 CET 2026", "2026-11-23 17:05:16"),
        (JAVA, "Mon Nov 23 18:05:16 GMT+01:00 2026", "2026-11-23 17:05:16"),
        (JAVA, "Thu Jul 23 18:05:16 CEST 2026", "2026-07-23 16:05:16"),
        (JAVA, "Mon Nov  3 18:05:16 UTC 2026", "2026-11-03 18:05:16"),
        (JAVA, "Mon Nov 23 18:05:16 2026", "2026-11-23 17:05:16"),
        (ARRAY, "[2026,11,23,18,5,16]", "2026-11-23 17:05:16"),
        (ARRAY, "[2026, 11, 23, 18, 5]", "2026-11-23 17:05:00"),
        (ARRAY, "[2026,11,23,18,5,16,123000000]", "2026-11-23 17:05:16.123"),
        (ARRAY, "[2026,11,23]", "2026-11-22 23:00:00"),
        (DOT_NET, "/Date(1795457116000)/", "2026-11-23 18:05:16"),
        (DOT_NET, "/Date(1795457116123+0200)/", "2026-11-23 18:05:16.123"),
        (DAY_FIRST, "23.11.2026 18:05", "2026-11-23 17:05:00"),
        (DAY_FIRST, "03/04/2026", "2026-04-02 22:00:00"),
        (MONTH_FIRST, "03/04/2026", "2026-03-03 23:00:00"),
        (MONTH_FIRST, "11-23-2026 06:05:16 PM", "2026-11-23 17:05:16"),
        (MONTH_FIRST, "3/4/2026 12:05 a.m.", "2026-03-03 23:05:00"),
        (MONTH_FIRST, "3/4/2026 12:05 PM Z", "2026-03-04 12:05:00"),
    ],
)
def test_each_format_is_read_as_the_instant_that_it_means(
    engine: duckdb.DuckDBPyConnection, of: TimeFormat, value: str, expected: str
) -> None:
    assert read(engine, value, of) == expected
    assert of in formats_of(value)


@pytest.mark.parametrize("of", list(TimeFormat))
@pytest.mark.parametrize("value", ["2026-11-23T18:05:16.000Z", "1795457116", "1795457116000"])
def test_iso_8601_and_numbers_are_read_whatever_the_format(
    engine: duckdb.DuckDBPyConnection, of: TimeFormat, value: str
) -> None:
    assert read(engine, value, of) == "2026-11-23 18:05:16"


@pytest.mark.parametrize(
    "value",
    [
        "",
        "0",
        "-1",
        "1970-01-01T00:00:00Z",
        "0000-00-00 00:00:00",
        "0000-00-00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59Z",
        "2026-13-45T00:00:00Z",
        "2026-02-30",
        "2026-11-23T25:00:00Z",
        "2026-11-23T18:05:16+25:00",
        "infinity",
        "epoch",
        "2026-11-23 18:05:16 (BC)",
        "31.02.2026 10:00",
        "3/4/2026 13:05 PM",
        "Mon Nox 23 18:05:16 CET 2026",
        "Mon Nov 23 18:05:16 XYZ 2026",
        "[2026,13,1]",
        "/Date(0)/",
        "/Date(soon)/",
        "7000",
        "12345678",
        "99999999999999999999",
        "C7",
        "hello",
        "null",
        "2026",
    ],
)
def test_what_is_no_time_or_says_never_is_null_in_every_format(engine: duckdb.DuckDBPyConnection, value: str) -> None:
    found = {of.value: moment for of in TimeFormat if (moment := read(engine, value, of)) is not None}
    assert found == {}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        # There twice: the earlier of both, which is in summer time.
        ("2026-10-25 02:30:00", "2026-10-25 00:30:00"),
        ("2026-10-25 03:30:00", "2026-10-25 02:30:00"),
        # Not there: an hour later.
        ("2026-03-29 02:30:00", "2026-03-29 01:30:00"),
        ("2026-03-29 03:30:00", "2026-03-29 01:30:00"),
        ("2026-07-01 02:30:00", "2026-07-01 00:30:00"),
    ],
)
def test_a_text_without_an_offset_is_in_the_zone_across_clock_changes(
    engine: duckdb.DuckDBPyConnection, value: str, expected: str
) -> None:
    assert read(engine, value, ISO) == expected
    assert read(engine, value, ISO, "UTC") == value
    assert read(engine, f"{value}Z", ISO) == value


@pytest.mark.parametrize(
    ("value", "is_without"),
    [
        ("2026-11-23T18:05:16Z", False),
        ("2026-11-23T18:05:16.5+02", False),
        ("2026-11-23T18:05:16+01:00[Europe/Berlin]", False),
        ("2026-11-23 18:05:16 UTC", False),
        ("Mon, 23 Nov 2026 18:05:16 +0100", False),
        ("Mon Nov 23 18:05:16 CET 2026", False),
        ("/Date(1795457116000)/", False),
        ("1795457116", False),
        ("1795457116.25", False),
        ("1795457116123456789", False),
        ("2026-11-23 18:05:16", True),
        ("2026-11-23T18:05", True),
        ("2026-11-23", True),
        ("20261123", True),
        ("20261123180516", True),
        ("Mon Nov 23 18:05:16 2026", True),
        ("[2026,11,23,18,5,16]", True),
        ("23.11.2026 18:05", True),
        ("3/4/2026 12:05 PM", True),
    ],
)
def test_a_text_whose_zone_has_to_be_assumed_is_known_as_one(
    engine: duckdb.DuckDBPyConnection, value: str, is_without: bool
) -> None:
    row = engine.execute(f"SELECT {has_no_offset('t')} FROM (SELECT ?::VARCHAR AS t)", [value]).fetchone()
    assert row == (is_without,)


def test_whether_the_day_or_the_month_comes_first_shows_where_one_of_both_is_no_date(
    engine: duckdb.DuckDBPyConnection,
) -> None:
    def fits(value: str, of: TimeFormat) -> bool:
        row = engine.execute(
            f"SELECT ({instant_in('t', of, 'UTC')})::VARCHAR FROM (SELECT ?::VARCHAR AS t)", [value]
        ).fetchone()
        return row is not None and row[0] is not None

    assert [fits("23/11/2026", of) for of in (DAY_FIRST, MONTH_FIRST)] == [True, False]
    assert [fits("11/23/2026", of) for of in (DAY_FIRST, MONTH_FIRST)] == [False, True]
    assert [fits("03/04/2026", of) for of in (DAY_FIRST, MONTH_FIRST)] == [True, True]


offsets = st.integers(-12 * 4, 14 * 4).map(lambda quarters: timezone(timedelta(minutes=15 * quarters)))
moments = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=offsets)  # noqa: DTZ001 - bounds
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def _java(moment: datetime) -> str:
    return f"{moment:%a} {_MONTHS[moment.month - 1]} {moment.day} {moment:%H:%M:%S} GMT{_offset(moment)} {moment.year}"


def _offset(moment: datetime) -> str:
    return moment.isoformat()[-6:]


PRINTED: dict[str, tuple[TimeFormat, timedelta, Callable[[datetime], str]]] = {
    "iso": (ISO, timedelta(microseconds=1), lambda moment: moment.isoformat()),
    "iso-milliseconds": (ISO, timedelta(milliseconds=1), lambda moment: moment.isoformat(timespec="milliseconds")),
    "iso-minutes": (ISO, timedelta(minutes=1), lambda moment: moment.isoformat(" ", "minutes")),
    "compact": (ISO, timedelta(seconds=1), lambda moment: moment.strftime("%Y%m%dT%H%M%S%z")),
    "seconds": (SECONDS, timedelta(seconds=1), lambda moment: str(_microseconds(moment) // 10**6)),
    "milliseconds": (MILLISECONDS, timedelta(milliseconds=1), lambda moment: str(_microseconds(moment) // 1000)),
    "microseconds": (MICROSECONDS, timedelta(microseconds=1), lambda moment: str(_microseconds(moment))),
    "rfc": (RFC, timedelta(seconds=1), format_datetime),
    "java": (JAVA, timedelta(seconds=1), _java),
    "day-first": (DAY_FIRST, timedelta(seconds=1), lambda moment: moment.strftime("%d.%m.%Y %H:%M:%S %z")),
    "month-first": (MONTH_FIRST, timedelta(seconds=1), lambda moment: moment.strftime("%m/%d/%Y %I:%M:%S %p %z")),
}


def _microseconds(moment: datetime) -> int:
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


@pytest.mark.parametrize("printed", PRINTED)
@examples(15)
@given(moment=moments)
def test_any_printed_instant_is_read_back_to_the_formats_resolution(
    engine: duckdb.DuckDBPyConnection, printed: str, moment: datetime
) -> None:
    of, resolution, write = PRINTED[printed]
    found = read(engine, write(moment), of)
    assert found is not None, write(moment)
    since = datetime(1970, 1, 1, tzinfo=UTC)
    assert datetime.fromisoformat(f"{found}+00:00") == since + (moment - since) // resolution * resolution


@examples(40)
@given(st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1)))  # noqa: DTZ001 - bounds of local times
def test_a_local_time_is_read_as_python_does(engine: duckdb.DuckDBPyConnection, local: datetime) -> None:
    found = read(engine, local.isoformat(" "), ISO)
    assert found is not None
    expected = local.replace(tzinfo=ZoneInfo(STOCKHOLM)).astimezone(UTC)
    assert datetime.fromisoformat(f"{found}+00:00") == expected
