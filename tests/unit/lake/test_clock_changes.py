"""The day of an event across daylight saving changes, whose hours are skipped or repeated."""

from typing import Any

import pytest

from tests.unit.lake.in_process_lake import InProcessLake, array
from tests.unit.lake.opens import opened


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-03-30T22:59:59.999Z", "2024-03-30"),
        ("2024-03-30T23:00:00Z", "2024-03-31"),
        # At 02:00 the clock skips to 03:00, so this day ends an hour earlier in UTC.
        ("2024-03-31T21:59:59Z", "2024-03-31"),
        ("2024-03-31T22:00:00Z", "2024-04-01"),
        ("2024-10-26T22:00:00Z", "2024-10-27"),
        ("2024-10-27T22:59:59Z", "2024-10-27"),
        ("2024-10-27T23:00:00Z", "2024-10-28"),
        ("2024-10-27T02:30:00+02:00", "2024-10-27"),
        ("2024-12-31T18:30:00-05:00", "2025-01-01"),
        (1711839600000, "2024-03-31"),
        ("2024-03-31", "2024-03-31"),
        ("31/03/2024", "unknown"),
        ("2024-02-30T10:00:00Z", "unknown"),
        ("infinity", "unknown"),
        (17118396, "unknown"),
    ],
)
def test_event_day_is_in_the_accounts_time_zone_across_clock_changes(
    lake: InProcessLake, moment: Any, day: str
) -> None:
    lake.load(array([opened(1, moment)]), time_zone="Europe/Stockholm")
    assert list(lake.partitions()) == [day]


@pytest.mark.parametrize("moment", [None, [], "", {"at": "2024-03-31"}])
def test_a_record_without_a_time_stands_in_no_day(lake: InProcessLake, moment: Any) -> None:
    lake.load(array([opened(1), opened(2, moment)]), time_zone="Europe/Stockholm")
    assert {row["event_id"]: row["dt"] for row in lake.rows()} == {1: "2024-03-01", 2: "unknown"}


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("timestamp_zone", ["", "UTC"])
@pytest.mark.parametrize("date", ["2026-11-23", "20261123"])
def test_a_date_alone_keeps_the_day_that_it_names_at_both_ends_of_the_world(
    lake: InProcessLake, date: str, timestamp_zone: str, zone: str
) -> None:
    lake.load(array([opened(1, date)]), time_zone=zone, timestamp_time_zone=timestamp_zone)
    assert list(lake.partitions()) == ["2026-11-23"]


def test_a_table_that_reads_its_dates_as_other_texts_goes_on_until_it_is_rebuilt(lake: InProcessLake) -> None:
    """Earlier versions made such tables; moving their rows takes a rebuild."""
    zones: dict[str, Any] = {"time_zone": "America/New_York", "timestamp_time_zone": "UTC"}
    chosen: Any = {"OPENS": ({"field": "timestamp", "timeZone": "UTC"},)}
    assert lake.load(array([opened(1, "2026-11-23")]), **zones, event_time=chosen).outcome == "loaded"
    assert lake.load(array([opened(2, "2026-11-24")]), **zones).outcome == "loaded"
    assert sorted(lake.partitions()) == ["2026-11-22", "2026-11-23"]
    assert lake.replay({"rebuild": True}, **zones).outcome == "loaded"
    assert sorted(lake.partitions()) == ["2026-11-23", "2026-11-24"]


NO_TIMES = [
    "0000-00-00",
    "0000-01-01T00:00:00Z",
    "0001-01-01T00:00:00Z",
    "0001-01-01",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59Z",
    "9999-12-31T23:59:59-12:00",
    "9999-12-31",
    "-0001-01-01T00:00:00Z",
    "10000-01-01T00:00:00Z",
    -62135596800000,
    253402300799,
    253402300799000,
    "253402214400000",
    253402300799000000,
    "2026-11-23T18:05:16+25:00",
    "2026-11-23T18:05:16-25:00",
    "2026-11-23T18:05:16+99:99",
]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_what_no_calendar_has_is_no_time_at_both_ends_of_the_world(lake: InProcessLake, zone: str) -> None:
    records = [opened(number, moment) for number, moment in enumerate(NO_TIMES)]
    lake.load(array([*records, *(opened(number) for number in range(100, 130))]), time_zone=zone, unknown_time_ratio=1)
    found = {NO_TIMES[row["event_id"]]: row["dt"] for row in lake.rows() if row["event_id"] < 100}
    assert found == dict.fromkeys(NO_TIMES, "unknown")
