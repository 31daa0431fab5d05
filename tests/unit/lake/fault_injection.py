"""Fault injection: abort work on a lake at any call to AWS, and check what readers see after every call."""

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
from tests.unit.aws.clients import REGION
from tests.unit.lake.in_process_lake import InProcessLake, record_of
from tests.unit.lake.parquet_files import read_parquet

Content = tuple[str, ...]
"""The records of a day, as comparable text."""
View = Mapping[str, Content]
"""What readers see: the content by day; of an entity table, under ""."""


def is_read(call: str) -> bool:
    """Whether a call to AWS, by the name of its operation, changes nothing."""
    return call.startswith(("Get", "List", "Head", "Query"))


class Killed(Exception):
    """The function was killed during a call."""


@dataclass
class Reader:
    """Reads a table as Athena does, through the locations in Glue, with clients that are not intercepted."""

    lake: InProcessLake
    export: str
    cache: dict[Any, Content] = field(default_factory=dict)

    def view(self) -> View:
        settings, (s3, glue) = self.lake.settings, _clients()
        definition = self._definition(glue)
        if definition is None:
            return {}
        store = Store(s3, settings.bucket)
        locations = {"": definition["StorageDescriptor"]["Location"]}
        if EXPORT_TYPES[self.export].is_event:
            locations = Catalog(glue, settings.database, settings.bucket).locations(EXPORT_TYPES[self.export])
        columns = definition["StorageDescriptor"]["Columns"]
        files: dict[str, list[Any]] = {}
        pages = s3.get_paginator("list_objects_v2").paginate(
            Bucket=settings.bucket, Prefix=table_prefix(EXPORT_TYPES[self.export].table)
        )
        for item in (item for page in pages for item in page.get("Contents", [])):
            files.setdefault(store.location(item["Key"].rsplit("/", 1)[0] + "/"), []).append(item["ETag"])
        return {
            day: self._content(store, location, files.get(location), columns) for day, location in locations.items()
        }

    def _definition(self, glue: Any) -> Any:
        try:
            name = EXPORT_TYPES[self.export].table
            return glue.get_table(DatabaseName=self.lake.settings.database, Name=name)["Table"]
        except glue.exceptions.EntityNotFoundException:
            return None

    def _content(self, store: Store, location: str, files: list[Any] | None, columns: list[Any]) -> Content:
        assert files, f"no object at {location}"
        version = (tuple(files), tuple(column["Name"] for column in columns))
        if version not in self.cache:
            with tempfile.TemporaryDirectory(dir=self.lake.work) as folder:
                rows = read_parquet(
                    store.download(store.prefix(location), Path(folder)), {c["Name"]: c["Type"] for c in columns}
                )
            self.cache[version] = tuple(sorted(str(sorted(record_of(row, columns).items())) for row in rows))
        return self.cache[version]


@dataclass
class Interceptor:
    """Records the calls to S3, Glue and DynamoDB, and raises `Killed` at one of them."""

    at: int = 0
    """The number of the call to kill, from 1; 0 for none."""
    after: bool = False
    """Whether the call takes effect and only its response is lost."""
    on_write: Callable[[], None] = lambda: None
    """Called after every call that took effect and is not a read."""
    calls: list[str] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def before_call(self, model: Any, **_: Any) -> None:
        with self.lock:
            self.calls.append(model.name)
            number = len(self.calls)
        if number == self.at and not self.after:
            raise Killed(f"before {number}, {model.name}")

    def after_call(self, model: Any, **_: Any) -> None:
        if not is_read(model.name):
            self.on_write()
        if len(self.calls) == self.at and self.after:
            raise Killed(f"after {self.at}, {model.name}")


@contextmanager
def intercepted(lake: InProcessLake, interceptor: Interceptor) -> Iterator[Interceptor]:
    """Route the lake's clients through the interceptor."""
    clients = (lake.s3, lake.glue, lake.dynamodb.meta.client)
    for client in clients:
        client.meta.events.register("before-call", interceptor.before_call)
        client.meta.events.register("after-call", interceptor.after_call)
    try:
        yield interceptor
    finally:
        for client in clients:
            client.meta.events.unregister("before-call", interceptor.before_call)
            client.meta.events.unregister("after-call", interceptor.after_call)


def each_day_matches_one_of(reader: Reader, *states: View) -> Callable[[], None]:
    """A check that every day equals that of one of the states: no reader sees a partial write."""

    def check() -> None:
        view = reader.view()
        for day in {day for state in (view, *states) for day in state}:
            assert view.get(day) in [state.get(day) for state in states], day

    return check


@cache
def _clients() -> tuple[Any, Any]:
    session = boto3.Session("test", "test", region_name=REGION)
    return session.client("s3"), session.client("glue")
