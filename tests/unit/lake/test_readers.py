"""A reader that finds a day through Glue, as Athena does, sees it before a rewrite or after it, never between."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.crashes import Trap, trapped
from tests.unit.lake.lakehouse import House, age, array, read_parquet

REWRITES, STEP = 5, 7
DAY, OPENS = "2024-03-01", EXPORT_TYPES["OPENS"]


@dataclass
class Readers:
    """One reader that begins after every call of a rewrite, and reads on after every later one."""

    house: House
    expected: set[int] = field(default_factory=set)
    begun: list[str] = field(default_factory=list)
    """Where each of them was told to read."""
    reading: bool = False
    seen: set[int] = field(default_factory=set)

    def look(self) -> None:
        # A reader's own calls run into the trap as well.
        if self.reading:
            return
        self.reading = True
        self.begun.append(self.house.catalog.locations(OPENS)[DAY])
        for location in set(self.begun):
            found = self.count(location)
            assert found in self.expected, (location, found)
            self.seen.add(found)
        self.reading = False

    def count(self, location: str) -> int:
        """How many rows are at the place that a reader has found before."""
        with tempfile.TemporaryDirectory(dir=self.house.work) as folder:
            files = self.house.store.download(self.house.store.prefix(location), Path(folder))
            assert files, f"nothing lies at {location}"
            return len(read_parquet(files, {}))


def events(number: int) -> bytes:
    return array({"eventId": n, "timestamp": f"{DAY}T10:00:00Z"} for n in range(number))


def test_a_reader_between_any_two_calls_of_a_rewrite_sees_the_old_day_or_the_new_one(house: House) -> None:
    house.load(events(STEP), at=age(0))
    readers = Readers(house)
    for number in range(2, REWRITES + 2):
        readers.expected = {(number - 1) * STEP, number * STEP}
        readers.seen.clear()
        readers.begun.clear()
        with trapped(house, Trap(look=readers.look)) as calls:
            house.load(events(number * STEP), at=age(number))
        assert "BatchUpdatePartition" in calls.calls
        assert readers.seen == readers.expected
