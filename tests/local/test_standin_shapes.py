"""Shapes: records in other names, nesting, types and formats."""

from datetime import timedelta
from typing import Any
from zlib import crc32

import msgspec
import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local.standin.periods import milliseconds
from local.standin.shapes import ExportShape, Shape, times
from local.standin.shapes.reshape import reshaper
from tests.local.shaped import NOW, texts

RECORD = {
    "eventId": 204170000012,
    "contactId": "k0000012",
    "carmaContactId": 5_000_012,
    "campaign": 'Say "hello"',
    "timestamp": "2026-11-24T04:20:07.123+01:00",
    "changed": 1_795_490_407_123,
}
FACTS = {"@row": 3, "@orderedAt": milliseconds(NOW), "@batchId": "101111"}


def reshaped(record: dict[str, Any] | None = None, **export: Any) -> dict[str, Any]:
    given = RECORD if record is None else record
    return reshaper(msgspec.convert(export, ExportShape), given)(given, FACTS)


def made(field: Any) -> Any:
    return reshaped(fields={"made": field}, others="drop")["made"]


def test_without_a_shape_results_are_the_bytes_that_they_were_before_there_were_shapes() -> None:
    written = "\n".join(text for name in sorted(EXPORT_TYPES) for text in texts(Shape(), name))

    assert crc32(written.encode()) == 3_240_625_804


def test_a_field_is_renamed_and_nested_and_the_others_stay() -> None:
    found = reshaped(fields={"event.time": "timestamp", "event.contact.id": "contactId"})

    assert found == {
        "event": {"time": RECORD["timestamp"], "contact": {"id": "k0000012"}},
        **{name: RECORD[name] for name in ("eventId", "carmaContactId", "campaign", "changed")},
    }


def test_fields_are_dropped_by_name_or_all_that_are_not_named() -> None:
    assert set(reshaped(drop=["eventId", "changed"])) == set(RECORD) - {"eventId", "changed"}
    assert reshaped(others="drop", fields={"campaign": {}}) == {"campaign": 'Say "hello"'}


def test_a_target_takes_the_place_of_a_field_and_two_targets_may_take_the_same() -> None:
    found = reshaped(others="drop", fields={"contactId": "carmaContactId", "id": "carmaContactId"})

    assert found == {"contactId": 5_000_012, "id": 5_000_012}


@pytest.mark.parametrize("value", [None, False, 7, 1.5, "x", [1], {"a": {}}])
def test_a_constant_is_any_json_value(value: Any) -> None:
    assert made({"value": value}) == value


def test_facts_of_the_export_are_fields_too() -> None:
    assert made("@row") == 3
    assert made("@batchId") == "101111"
    assert made("@mail") == 20417000001
    assert made({"from": "@orderedAt", "time": "isoZ"}) == "2026-11-24T03:20:07.123Z"
    assert made({"text": "{@batchId}/{@row}: {contactId}@mail.example.com"}) == "101111/3: k0000012@mail.example.com"


def test_a_counter_grows_by_its_number_a_day() -> None:
    export = msgspec.convert({"fields": {"n": {"counter": 40}}}, ExportShape)
    reshape = reshaper(export, RECORD)
    today, tomorrow = (
        reshape(RECORD, {**FACTS, "@orderedAt": milliseconds(NOW + timedelta(days=days))})["n"] for days in (0, 1)
    )

    assert tomorrow == today + 40


@pytest.mark.parametrize(
    ("source", "kind", "value"),
    [
        ("carmaContactId", "text", "5000012"),
        ("contactId", "text", "k0000012"),
        ("contactId", "number", 12),
        ("campaign", "number", None),
        ("timestamp", "number", 202611240420071230100),
        ("carmaContactId", "number", 5_000_012),
        ("flag", "text", "true"),
        ("flag", "number", 1),
        ("nothing", "text", None),
        ("price", "number", 1.5),
    ],
)
def test_a_value_changes_its_type(source: str, kind: str, value: Any) -> None:
    record = RECORD | {"flag": True, "nothing": None, "price": "1.5"}

    found = reshaped(record, fields={"made": {"from": source, "type": kind}})["made"]

    assert (found, type(found)) == (value, type(value))


# Times

WRITTEN = {
    "isoOffset": "2026-11-24T04:20:07.123+01:00",
    "isoZ": "2026-11-24T03:20:07.123Z",
    "isoNaive": "2026-11-24T04:20:07.123",
    "isoBlank": "2026-11-24 04:20:07",
    "isoDate": "2026-11-24",
    "epochSeconds": 1795490407,
    "epochFraction": 1795490407.123,
    "epochMilliseconds": 1795490407123,
    "epochMicroseconds": 1795490407123000,
    "rfc2822": "Tue, 24 Nov 2026 04:20:07 +0100",
    "java": "Tue Nov 24 04:20:07 CET 2026",
    "dayFirst": "24/11/2026 04:20:07",
    "dayFirst12": "24/11/2026 04:20:07 AM",
    "monthFirst": "11/24/2026 04:20:07",
    "monthFirst12": "11/24/2026 04:20:07 AM",
    "array": [2026, 11, 24, 4, 20, 7],
    "dateObject": {"$date": "2026-11-24T03:20:07.123Z"},
    "slashDate": "/Date(1795490407123)/",
    "%d.%m.%y %H.%M": "24.11.26 04.20",
}


@pytest.mark.parametrize("source", ["timestamp", "changed"])
@pytest.mark.parametrize("time", WRITTEN)
def test_a_time_is_written_in_each_format(source: str, time: str) -> None:
    assert made({"from": source, "time": time, "timeZone": "Europe/Stockholm"}) == WRITTEN[time]


def test_every_format_is_tried() -> None:
    assert set(WRITTEN) - set(times.FORMATS) == {"%d.%m.%y %H.%M"}
    assert set(times.FORMATS) <= set(WRITTEN)


def test_a_time_is_text_when_its_type_says_so() -> None:
    assert made({"from": "timestamp", "time": "epochMicroseconds", "type": "text"}) == "1795490407123000"


def test_a_time_is_shifted_in_a_format_or_in_its_own() -> None:
    assert made({"from": "timestamp", "shiftSeconds": -1.5}) == "2026-11-24T04:20:05.623+01:00"
    assert made({"from": "changed", "shiftSeconds": 60}) == 1_795_490_467_123
    assert made({"from": "changed", "time": "isoBlank", "shiftSeconds": 86_400}) == "2026-11-25 03:20:07"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ({"time": "epochSeconds"}, 0),
        ({"time": "epochMilliseconds", "type": "text"}, "0"),
        ({"time": "isoZ"}, None),
        ({"time": "array", "shiftSeconds": 5}, None),
        ({"shiftSeconds": 5}, 0),
    ],
)
def test_never_stays_never(field: dict[str, Any], value: Any) -> None:
    assert reshaped({"read": 0}, fields={"read": field}) == {"read": value}
