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
