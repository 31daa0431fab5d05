"""What becomes of a day that comes in several chunks."""

import json
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import duckdb
import pytest

from lambdas.lake.formats import splitting
from lambdas.lake.parsing import parse
from lambdas.lake.rows import time_ranges
from lambdas.steps import merge_batch
from tests.unit.lake.lakehouse import House, Record, age, bag

Spelled = Callable[[Iterable[Record]], bytes]


def opened(number: int, hour: int, **more: object) -> Record:
    return {"eventId": number, "timestamp": f"2024-03-01T{hour:02}:00:00Z", **more}


def lines(records: Iterable[Record]) -> bytes:
    return "\n".join(json.dumps(record, separators=(",", ":")) for record in records).encode()


def array(records: Iterable[Record]) -> bytes:
    return json.dumps(list(records), separators=(",", ":")).encode()


def spaced(records: Iterable[Record]) -> bytes:
    return json.dumps(list(records), indent=1).encode()


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """A chunk holds two pieces, of about four records each."""
    monkeypatch.setattr(merge_batch, "pieces", partial(splitting.pieces, size=200))
    monkeypatch.setattr(parse, "_CHUNK_BYTES", 300)


def hours(house: House, tmp_path: Path) -> list[list[int]]:
    """The hours of the events in each file of the day, in the order in which they stand there."""
    found = []
    for key in house.objects("curated/opens/"):
        house.s3.download_file(house.settings.bucket, key, str(tmp_path / "file.parquet"))
        rows = duckdb.execute("SELECT hour(_event_at) FROM read_parquet(?)", [str(tmp_path / "file.parquet")])
        found.append([hour for (hour,) in rows.fetchall()])
    return found


def load(house: House, hours: Iterable[int], number: int = 1, spelled: Spelled = lines) -> list[Record]:
    records = [opened(number * 1000 + at, hour) for at, hour in enumerate(hours)]
    assert house.load(spelled(records), at=age(number)).outcome == "loaded"
    return records


@pytest.mark.parametrize("spelled", [lines, array, spaced])
def test_chunks_in_the_order_of_time_are_stored_as_they_came(house: House, tmp_path: Path, spelled: Spelled) -> None:
    records = load(house, range(24), spelled=spelled)
    stored = hours(house, tmp_path)
    assert len(stored) > 1
    assert [hour for file in stored for hour in file] == list(range(24))
    assert bag(house.records()) == bag(records)


def test_chunks_in_another_order_are_stored_as_one_sorted_file(house: House, tmp_path: Path) -> None:
    records = load(house, reversed(range(24)))
    assert hours(house, tmp_path) == [list(range(24))]
    assert bag(house.records()) == bag(records)


def test_records_with_arrays_of_objects_are_never_cut_within(house: House) -> None:
    inner = [{"a": number, "b": "},{"} for number in range(20)]
    records = [opened(number, number, inner=inner) for number in range(24)]
    assert house.load(array(records)).outcome == "loaded"
    assert bag(house.records()) == bag(records)


@pytest.mark.parametrize("odd", [{"more": 1}, {"name": 5}, {"name": None}, {"name": 'a"b'}, {"name": "1e5"}])
def test_a_record_unlike_those_of_other_chunks_is_held_whole(house: House, odd: Record) -> None:
    records = [opened(number, number, name="a") for number in range(24)]
    records[17] = {**records[17], **odd}
    assert house.load(lines(records)).outcome == "loaded"
    assert bag(house.records()) == bag(records)


def test_a_later_export_makes_one_sorted_file_of_all(house: House, tmp_path: Path) -> None:
    records = load(house, range(24)) + load(house, range(24), number=2)
    assert len(house.partitions()) == 1
    merged = [file for file in hours(house, tmp_path) if len(file) == 48]
    assert merged == [sorted([*range(24), *range(24)])]
    assert bag(house.records()) == bag(records)


@pytest.mark.parametrize("first", [range(24), reversed(range(24))], ids=["in order", "in another order"])
def test_a_large_day_is_merged_into_files_that_follow_each_other(
    house: House, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: Iterable[int]
) -> None:
    monkeypatch.setattr(time_ranges, "_ROWS", 10)
    records = load(house, first) + load(house, range(24), number=2)
    location = house.store.prefix(house.partitions()["2024-03-01"])
    files = [
        file
        for key, file in zip(house.objects("curated/opens/"), hours(house, tmp_path), strict=True)
        if key.startswith(location)
    ]
    assert len(files) == 5
    assert [hour for file in files for hour in file] == sorted([*range(24), *range(24)])
    assert bag(house.records()) == bag(records)


def test_a_key_that_holds_twice_in_different_chunks_is_seen(house: House) -> None:
    records = [opened(number, number) for number in range(24)]
    assert house.load(lines([*records, records[0]])).outcome == "loaded"
    assert bag(house.records()) == bag(records)
    refused = house.load(lines([*records, opened(0, 0, name="other")]), at=age(2))
    assert refused.outcome == "failed"
    assert "eventId 0 holds twice" in str(refused.reason)


def test_what_a_killed_call_has_left_is_not_read(house: House, tmp_path: Path) -> None:
    prefix = "curated/opens/dt=2024-03-01/run/"
    file = tmp_path / "file.parquet"
    file.write_bytes(b"rows")
    house.store.upload_all([file, file, file], prefix)
    house.store.upload_all([file], prefix)
    assert house.objects(prefix) == [f"{prefix}part-00000.parquet"]
