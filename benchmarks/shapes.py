"""The same events in other shapes: what a result file may look like, and how its values are found in a table again."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any

from benchmarks.events import EXPORT, day_records
from local.standin.containers import container
from local.standin.spool import write

Record = dict[str, Any]

FLAT, ALL_ODD = "flat", "every record odd"
"""The shape that others are compared with, and the one in which no record fits the columns of its table."""

_SAMPLE = 2_000
_DAYS = 3
_CATEGORIES = 40
_WIDE = 185
_WORDS = ("vår", "höst", 'med "citat"', "rad\nbrytning", "emoji 😀", "back\\slash", "öl & mat")


@dataclass(frozen=True)
class Shape:
    """How a record is changed, and SQL that finds its values: in the plain event, and in the table's columns."""

    change: Callable[[Record, int], Record] = lambda record, _: record
    container: str = "ndjson"
    written: Callable[[Record], str] = lambda record: json.dumps(record, ensure_ascii=False, separators=(",", ":"))
    truth: Mapping[str, str] = field(default_factory=dict)
    stored: Mapping[str, str] = field(default_factory=dict)
    follows_a_plain_export: bool = False
    """Whether the table has the columns of plain events already."""

    @property
    def is_lines(self) -> bool:
        """Whether readers of newline-delimited JSON take it."""
        return self.container == "ndjson"


@dataclass(frozen=True)
class ShapeFile:
    """A file of a shape: unpacked bytes, and the plain events beside it."""

    path: Path
    bytes: int
    plain: Path


def _with(**more: Callable[[int], Any]) -> Callable[[Record, int], Record]:
    return lambda record, number: {**record, **{name: made(number) for name, made in more.items()}}


def _nested(record: Record, number: int) -> Record:
    project = {"id": record.pop("projectId"), "name": record.pop("project"), "tags": {"priority": number % 3}}
    return {**record, "project": project}


def _deep(record: Record, number: int) -> Record:
    inner: Any = {"n": number, "text": record.pop("description")}
    for name in ("e", "d", "c", "b", "a"):
        inner = {name: inner, "is": name}
    return {**record, "deep": inner}


def _who_inside(record: Record, _: int) -> Record:
    return {**record, "contact": {"id": record.pop("contactId"), "carmaId": record.pop("carmaContactId")}}


def _mixed(record: Record, number: int) -> Record:
    kinds = ("MailSent", number, number % 2 == 0, {"n": number}, [number, None], number / 4)
    return {**record, "description": kinds[number % len(kinds)]}


def _sparse(record: Record, number: int) -> Record:
    few = {f"property{(number * step) % _CATEGORIES}": f"value {number % 97}" for step in (1, 3, 7)}
    return {**record, **few}


def _wide(record: Record, number: int) -> Record:
    return {**record, **{f"field{column}": (number + column) % 1000 for column in range(_WIDE)}}


def _epoch(record: Record, _: int) -> Record:
    moment = int(datetime.fromisoformat(record["timestamp"]).timestamp() * 1000)
    return {**record, "sentTimestamp": moment, "timestamp": moment}


def _local(record: Record, _: int) -> Record:
    text = record["timestamp"].replace("T", " ").removesuffix("+00:00")
    return {**record, "sentTimestamp": text, "timestamp": text}


def _odd(every: int) -> Callable[[Record, int], Record]:
    """One record in so many has values of other kinds than its table's columns."""

    def change(record: Record, number: int) -> Record:
        if number % every:
            return record
        others = ({"eventId": f"e{record['eventId']}"}, {"eventId": record["eventId"] + 0.5}, {"campaign": number})
        return {**record, **others[number // every % len(others)]}

    return change


def _all_odd(record: Record, number: int) -> Record:
    drifted = (str(record["eventId"]), record["eventId"] + 0.5, [record["eventId"]], True)
    return {**record, "eventId": drifted[number % len(drifted)], "description": number, "module": {"name": "CAMPAIGN"}}


_RESCUED = {"eventId": "coalesce(event_id::VARCHAR, _rescued::JSON ->> '$.eventId')"}
_ODD_TRUTH = {
    "eventId": "CASE WHEN {n} % {every} != 0 THEN eventId::VARCHAR WHEN {n} // {every} % 3 = 0 THEN 'e' || eventId "
    "WHEN {n} // {every} % 3 = 1 THEN eventId || '.5' ELSE eventId::VARCHAR END",
    "campaign": "CASE WHEN {n} % {every} = 0 AND {n} // {every} % 3 = 2 THEN {n}::VARCHAR ELSE campaign END",
}


def _odd_shape(every: int) -> Shape:
    truth = {name: sql.format(n="number", every=every) for name, sql in _ODD_TRUTH.items()}
    return Shape(_odd(every), truth=truth, stored=_RESCUED, follows_a_plain_export=True)


SHAPES: Mapping[str, Shape] = {
    FLAT: Shape(),
    "nested object": Shape(_nested),
    "array of texts": Shape(_with(tags=lambda number: ["a", f"tag {number % 7}", "c"])),
    "deep object": Shape(_deep),
    "who inside an object": Shape(_who_inside, stored={"contactId": "contact::JSON ->> '$.id'"}),
    "numeric contact id": Shape(
        lambda record, _: {**record, "contactId": int(record["contactId"][1:])},
        truth={"contactId": "contactId[2:]::BIGINT::VARCHAR"},
    ),
    "mixed kinds in one column": Shape(_mixed),
    "unsigned 64-bit ids": Shape(
        lambda record, _: {**record, "eventId": 2**63 + record["eventId"]},
        truth={"eventId": "(9223372036854775808::HUGEINT + eventId)::VARCHAR"},
    ),
    "doubles": Shape(_with(score=lambda number: number / 7, rate=lambda number: number % 100 / 100)),
    "booleans and nulls": Shape(
        _with(isTest=lambda number: number % 5 == 0, reason=lambda number: None if number % 3 else "late")
    ),
    "escapes and non-ASCII text": Shape(
        lambda record, number: {**record, "description": f"{_WORDS[number % len(_WORDS)]} {number % 1000}"},
        written=lambda record: json.dumps(record, separators=(",", ":")),
    ),
    "sparse fields": Shape(_sparse),
    "200 columns": Shape(_wide),
    "blanks after commas": Shape(written=json.dumps),
    "CRLF": Shape(written=lambda record: json.dumps(record, ensure_ascii=False, separators=(",", ":")) + "\r"),
    "array": Shape(container="array"),
    "pretty-printed array": Shape(container="pretty"),
    "wrapper": Shape(container="wrapper"),
    "gzip": Shape(container="ndjson.gz"),
    "epoch times": Shape(_epoch),
    "texts without offset": Shape(_local),
    "one odd record in ten": _odd_shape(10),
    "one in a hundred": _odd_shape(100),
    "one in ten thousand": _odd_shape(10_000),
    ALL_ODD: Shape(
        _all_odd,
        truth={
            "eventId": "CASE number % 4 WHEN 1 THEN eventId || '.5' WHEN 2 THEN '[' || eventId || ']' "
            "WHEN 3 THEN 'true' ELSE eventId::VARCHAR END"
        },
        stored=_RESCUED,
        follows_a_plain_export=True,
    ),
}


def make(folder: Path, name: str, megabytes: int) -> ShapeFile:
    """Write three days of events in a shape, of about that many unpacked megabytes, and the plain events beside it."""
    shape = SHAPES[name]
    stem = name.replace(" ", "-")
    path, plain = folder / f"shape-{stem}.{shape.container}.json", folder / f"shape-{stem}.plain.ndjson"
    sample = [len(text.encode()) + 1 for text in _texts(shape, _SAMPLE, None)]
    per_day = int(megabytes * 1_000_000 * len(sample) / sum(sample) / _DAYS)
    size = 0
    with plain.open("w") as plains:

        def texts() -> Iterator[str]:
            nonlocal size
            form = container(shape.container).form
            for text in _texts(shape, per_day, plains.write):
                size += len(form.record(text).encode()) + len(form.between)
                yield text

        write(path, texts(), container(shape.container), EXPORT, lambda _count: None)
    return ShapeFile(path, size, plain)


def _texts(shape: Shape, per_day: int, keep: Callable[[str], Any] | None) -> Iterator[str]:
    records = day_records(per_day)
    for number, text in enumerate(records if keep else islice(records, _SAMPLE)):
        record = json.loads(text)
        if keep:
            keep(json.dumps({**record, "number": number}, ensure_ascii=False) + "\n")
        yield shape.written(shape.change(record, number))
