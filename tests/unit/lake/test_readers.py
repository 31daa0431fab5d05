"""A reader that locates a day through Glue, as Athena does, sees it before or after a rewrite, never in between."""

import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.fault_injection import Interceptor, intercepted
from tests.unit.lake.in_process_lake import InProcessLake, age, array
from tests.unit.lake.parquet_files import read_parquet

REWRITES, STEP = 5, 7
DAY, OPENS = "2024-03-01", EXPORT_TYPES["OPENS"]


@dataclass
class Readers:
    """A reader starts after every writing call of a rewrite, and reads its location again after every later one."""

    lake: InProcessLake
    expected: set[int] = field(default_factory=set)
    locations: list[str] = field(default_factory=list)
    """The location that each of them got from the catalog."""
    reading: bool = False
    seen: set[int] = field(default_factory=set)

    def read(self) -> None:
        # The readers' own calls are intercepted too.
        if self.reading:
            return
        self.reading = True
        self.locations.append(self.lake.catalog.locations(OPENS)[DAY])
        for location in set(self.locations):
            found = self.count(location)
            assert found in self.expected, (location, found)
            self.seen.add(found)
        self.reading = False

    def count(self, location: str) -> int:
        """The number of rows at a location."""
        with tempfile.TemporaryDirectory(dir=self.lake.work) as folder:
            files = self.lake.store.download(self.lake.store.prefix(location), Path(folder))
            assert files, f"no object at {location}"
            return len(read_parquet(files, {}))


def events(number: int) -> bytes:
    return array({"eventId": n, "timestamp": f"{DAY}T10:00:00Z"} for n in range(number))


def test_a_reader_between_any_two_calls_of_a_rewrite_sees_the_old_or_the_new_day(lake: InProcessLake) -> None:
    lake.load(events(STEP), at=age(0))
    readers = Readers(lake)
    for number in range(2, REWRITES + 2):
        readers.expected = {(number - 1) * STEP, number * STEP}
        readers.seen.clear()
        readers.locations.clear()
        with intercepted(lake, Interceptor(on_write=readers.read)) as calls:
            lake.load(events(number * STEP), at=age(number))
        assert "BatchUpdatePartition" in calls.calls
        assert readers.seen == readers.expected
