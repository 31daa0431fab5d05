"""The day of an event when the account's clock changes: hours that are skipped or twice there."""

from typing import Any

import pytest

from tests.unit.lake.lakehouse import House, array
from tests.unit.lake.opens import opened


@pytest.mark.parametrize(
    ("moment", "day"),
    [
        ("2024-03-30T22:59:59.999Z", "2024-03-30"),
        ("2024-03-30T23:00:00Z", "2024-03-31"),
        # The clock goes from 02:00 to 03:00 that night, and that day ends an hour earlier in UTC.
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
        (None, "unknown"),
        ([], "unknown"),
    ],
)
def test_day_of_an_event_is_the_accounts_day_through_changes_of_the_clock(house: House, moment: Any, day: str) -> None:
    house.load(array([opened(1, moment)]), time_zone="Europe/Stockholm")
    assert list(house.partitions()) == [day]
