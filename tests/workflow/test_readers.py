"""A reader that finds a day through Glue, as Athena does, sees it before a rewrite or after it, never between."""

import shutil
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import duckdb
import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local.lifecycle import Running
from tests.unit.lake.lakehouse import House, age, array, furnished

REWRITES, STEP = 100, 7
DAY, OPENS = "2024-03-01", EXPORT_TYPES["OPENS"]


@pytest.fixture
def house(running: Running) -> Iterator[House]:
    """A lake of its own on the embedded cloud: real servers, which other threads may ask at the same time."""
    cloud = running.cloud
    dynamodb = cloud.session.resource("dynamodb", endpoint_url=cloud.endpoint, verify=cloud.ca_bundle)
    made = furnished(cloud.client("s3"), cloud.client("glue"), dynamodb, "readers")
    yield made
    shutil.rmtree(made.work, ignore_errors=True)


def count(house: House, folder: Path) -> int:
    """How many rows a reader finds, with every step of its own that a query has."""
    location = house.catalog.locations(OPENS)[DAY]
    files = house.store.download(house.store.prefix(location), folder)
    with duckdb.connect() as engine:
        names = [str(file) for file in files]
        (found,) = engine.execute("SELECT count(*) FROM read_parquet(?)", [names]).fetchone() or (-1,)
    return int(found)


def events(number: int) -> bytes:
    return array({"eventId": n, "timestamp": f"{DAY}T10:00:00Z"} for n in range(number))


def test_a_hundred_rewrites_of_a_day_show_every_reader_old_or_new_counts_alone(house: House) -> None:
    published = [STEP]
    house.load(events(STEP), at=age(0))
    done = Event()

    def read(_: int) -> list[tuple[int, int, int]]:
        """Each count, between the last one that was surely published and the last that may have been."""
        seen = []
        with tempfile.TemporaryDirectory() as folder:
            while not done.is_set():
                surely = published[-1]
                found = count(house, Path(folder))
                seen.append((surely, found, published[-1] + STEP))
        return seen

    with ThreadPoolExecutor(2) as readers:
        reading = readers.map(read, range(2))
        try:
            for number in range(2, REWRITES + 2):
                house.load(events(number * STEP), at=age(number))
                published.append(number * STEP)
        finally:
            done.set()
        seen = [one for reader in reading for one in reader]
    counts = {found for _, found, _ in seen}
    assert all(least <= found <= most and found % STEP == 0 for least, found, most in seen), seen
    assert len(counts) > 10
