"""Kill what works on a lake at any of its calls to AWS, and look at what readers see after every one of them."""

import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import boto3

from lambdas.lake.storage.keys import table_prefix
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.lakehouse import REGION, House, read_parquet, record_of

_READING = ("Get", "List", "Head", "Query")

Content = tuple[str, ...]
"""The records of a day, as text that compares."""
View = Mapping[str, Content]
"""What readers see: the content of each day, or of the whole under "" for an entity."""


class Killed(Exception):
    """The function ended in the middle of a call."""


@dataclass
class Reader:
    """Reads a table as Athena does, through the locations in Glue, with clients that nothing counts or kills."""

    house: House
    export: str
    known: dict[Any, Content] = field(default_factory=dict)

    def view(self) -> View:
        settings, (s3, glue) = self.house.settings, _clients()
        definition = self._definition(glue)
        if definition is None:
            return {}
        store = Store(s3, settings.bucket)
        places = {"": definition["StorageDescriptor"]["Location"]}
        if EXPORT_TYPES[self.export].is_event:
            places = Catalog(glue, settings.database, settings.bucket).locations(EXPORT_TYPES[self.export])
        columns = definition["StorageDescriptor"]["Columns"]
        files: dict[str, list[Any]] = {}
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=settings.bucket, Prefix=table_prefix(EXPORT_TYPES[self.export].table)
        )
        for item in (item for page in pages for item in page.get("Contents", [])):
            files.setdefault(store.location(item["Key"].rsplit("/", 1)[0] + "/"), []).append(item["ETag"])
        return {day: self._content(store, place, files.get(place), columns) for day, place in places.items()}

    def _definition(self, glue: Any) -> Any:
        try:
            name = EXPORT_TYPES[self.export].table
            return glue.get_table(DatabaseName=self.house.settings.database, Name=name)["Table"]
        except glue.exceptions.EntityNotFoundException:
            return None

    def _content(self, store: Store, location: str, files: list[Any] | None, columns: list[Any]) -> Content:
        assert files, f"nothing lies at {location}"
        seen = (tuple(files), tuple(column["Name"] for column in columns))
        if seen not in self.known:
            with tempfile.TemporaryDirectory(dir=self.house.work) as folder:
                rows = read_parquet(
                    store.download(store.prefix(location), Path(folder)), {c["Name"]: c["Type"] for c in columns}
                )
            self.known[seen] = tuple(sorted(str(sorted(record_of(row, columns).items())) for row in rows))
        return self.known[seen]


@dataclass
class Trap:
    """Counts the calls to S3, Glue and DynamoDB, and raises `Killed` at one of them."""

    at: int = 0
    """The number of the call, from 1; 0 for none."""
    after: bool = False
    """Whether the call takes effect first, and its answer is lost."""
    look: Callable[[], None] = lambda: None
    """Is called after every call that took effect, but for those that only read: they change what nobody sees."""
    calls: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def before_call(self, model: Any, **_: Any) -> None:
        with self.lock:
            self.calls.append(model.name)
            number = len(self.calls)
        if number == self.at and not self.after:
            raise Killed(f"before {number}, {model.name}")

    def after_call(self, model: Any, **_: Any) -> None:
        if not model.name.startswith(_READING):
            self.look()
        if len(self.calls) == self.at and self.after:
            raise Killed(f"after {self.at}, {model.name}")


@contextmanager
def trapped(house: House, trap: Trap) -> Iterator[Trap]:
    """Have the house's own clients run into the trap for a while."""
    clients = (house.s3, house.glue, house.dynamodb.meta.client)
    for client in clients:
        client.meta.events.register("before-call", trap.before_call)
        client.meta.events.register("after-call", trap.after_call)
    try:
        yield trap
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", trap.before_call)
            client.meta.events.unregister("after-call", trap.after_call)


def each_day_is_one_of(reader: Reader, *states: View) -> Callable[[], None]:
    """A look at the table: every day is as one of the states has it, none is anything between."""

    def look() -> None:
        view = reader.view()
        for day in {day for state in (view, *states) for day in state}:
            assert view.get(day) in [state.get(day) for state in states], day

    return look


@cache
def _clients() -> tuple[Any, Any]:
    session = boto3.Session("test", "test", region_name=REGION)
    return session.client("s3"), session.client("glue")
