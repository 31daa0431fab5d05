"""How a day that is read in several chunks is stored: as the sorted files of its chunks, or merged."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from lambdas.lake.formats import splitting
from lambdas.lake.parsing import stager
from lambdas.lake.rows import time_ranges
from lambdas.steps import merge_batch
from tests.unit.lake.in_process_lake import InProcessLake, Record, age, bag

Encode = Callable[[Iterable[Record]], bytes]


def opened(number: int, hour: int, **more: object) -> Record:
    return {"eventId": number, "contactId": f"k{number}", "timestamp": f"2024-03-01T{hour:02}:00:00Z", **more}


def lines(records: Iterable[Record]) -> bytes:
    return "\n".join(json.dumps(record, separators=(",", ":")) for record in records).encode()


def array(records: Iterable[Record]) -> bytes:
    return json.dumps(list(records), separators=(",", ":")).encode()


def pretty(records: Iterable[Record]) -> bytes:
    return json.dumps(list(records), indent=1).encode()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunks of two pieces, of about four records each."""
    monkeypatch.setattr(merge_batch, "pieces", partial(splitting.pieces, size=200))
    monkeypatch.setattr(stager, "_CHUNK_BYTES", 300)


def hours(lake: InProcessLake, tmp_path: Path) -> list[list[int]]:
    """The hours of the events in each file, in stored order."""
    found = []
    for key in lake.objects("curated/opens/"):
        lake.s3.download_file(lake.settings.bucket, key, str(tmp_path / "file.parquet"))
        rows = duckdb.execute("SELECT hour(_event_at) FROM read_parquet(?)", [str(tmp_path / "file.parquet")])
        found.append([hour for (hour,) in rows.fetchall()])
    return found


def load(
    lake: InProcessLake, hours: Iterable[int], number: int = 1, encode: Encode = lines, known: Iterable[Record] = ()
) -> list[Record]:
    """Load events at these hours, after those that an earlier export has too; return all of the export."""
    records = [*known, *(opened(number * 1000 + at, hour) for at, hour in enumerate(hours))]
    state = lake.load(encode(records), at=age(number))
    assert state.outcome == "loaded", state.reason
    return records


@pytest.mark.parametrize("encode", [lines, array, pretty])
def test_chunks_sorted_by_time_are_stored_unchanged(lake: InProcessLake, tmp_path: Path, encode: Encode) -> None:
    records = load(lake, range(24), encode=encode)
    stored = hours(lake, tmp_path)
    assert len(stored) > 1
    assert [hour for file in stored for hour in file] == list(range(24))
    assert bag(lake.records()) == bag(records)


def test_unsorted_chunks_are_merged_into_one_sorted_file(lake: InProcessLake, tmp_path: Path) -> None:
    records = load(lake, reversed(range(24)))
    assert hours(lake, tmp_path) == [list(range(24))]
    assert bag(lake.records()) == bag(records)


def test_records_with_arrays_of_objects_are_never_split(lake: InProcessLake) -> None:
    inner = [{"a": number, "b": "},{"} for number in range(20)]
    records = [opened(number, number, inner=inner) for number in range(24)]
    assert lake.load(array(records)).outcome == "loaded"
    assert bag(lake.records()) == bag(records)


@pytest.mark.parametrize("irregular", [{"more": 1}, {"name": 5}, {"name": None}, {"name": 'a"b'}, {"name": "1e5"}])
def test_a_record_unlike_those_of_other_chunks_loses_nothing(lake: InProcessLake, irregular: Record) -> None:
    records = [opened(number, number, name="a") for number in range(24)]
    records[17] = {**records[17], **irregular}
    assert lake.load(lines(records)).outcome == "loaded"
    assert bag(lake.records()) == bag(records)


def test_a_later_export_is_merged_into_one_sorted_file(lake: InProcessLake, tmp_path: Path) -> None:
    records = load(lake, range(24), number=2, known=load(lake, range(24)))
    assert len(lake.partitions()) == 1
    merged = [file for file in hours(lake, tmp_path) if len(file) == 48]
    assert merged == [sorted([*range(24), *range(24)])]
    assert bag(lake.records()) == bag(records)


@pytest.mark.parametrize("first", [range(24), reversed(range(24))], ids=["sorted", "unsorted"])
def test_a_large_day_is_merged_into_files_of_consecutive_time_ranges(
    lake: InProcessLake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Iterable[int]
) -> None:
    monkeypatch.setattr(time_ranges, "_ROWS", 10)
    records = load(lake, range(24), number=2, known=load(lake, first))
    location = lake.store.prefix(lake.partitions()["2024-03-01"])
    files = [
        file
        for key, file in zip(lake.objects("curated/opens/"), hours(lake, tmp_path), strict=True)
        if key.startswith(location)
    ]
    assert len(files) > 4
    assert [hour for file in files for hour in file] == sorted([*range(24), *range(24)])
    assert bag(lake.records()) == bag(records)


def test_a_duplicate_key_in_different_chunks_is_detected(lake: InProcessLake) -> None:
    records: list[Record] = [{"listId": str(number), "name": "a" * 40} for number in range(24)]
    assert lake.load(lines([*records, records[0]]), "LISTS", age(1)).outcome == "loaded"
    assert bag(lake.records("LISTS")) == bag(records)
    refused = lake.load(lines([*records, {**records[0], "name": "other"}]), "LISTS", age(2))
    assert refused.outcome == "failed"
    assert "listId is no key of LISTS: 1 of its values" in str(refused.reason)
    assert bag(lake.records("LISTS")) == bag(records)


def test_an_event_that_stands_twice_in_different_chunks_is_two_rows(lake: InProcessLake) -> None:
    records = [opened(number, number) for number in range(24)]
    for number in (1, 2):
        assert lake.load(lines([*records, records[0]]), at=age(number)).outcome == "loaded"
    assert bag(lake.records()) == bag([*records, records[0]])


def test_files_left_by_a_killed_call_are_not_read(lake: InProcessLake, tmp_path: Path) -> None:
    prefix = "curated/opens/dt=2024-03-01/run/"
    file = tmp_path / "file.parquet"
    file.write_bytes(b"rows")
    lake.store.upload_all([file, file, file], prefix)
    lake.store.upload_all([file], prefix)
    assert lake.objects(prefix) == [f"{prefix}part-00000.parquet"]
