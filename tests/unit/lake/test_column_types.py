"""Irregular values: each is stored exactly, rescued, quarantined or refused; none is lost silently."""

import json
import shutil
from typing import Any

import pytest

from tests.unit.lake.in_process_lake import InProcessLake, age, array, bag
from tests.unit.lake.properties import Raw, encoded

pytestmark = pytest.mark.no_cover

BASE = {"eventId": 1, "timestamp": "2024-03-01T10:00:00Z"}


def record(value: Any, event_id: int = 2) -> bytes:
    return encoded([("eventId", event_id), ("timestamp", BASE["timestamp"]), ("value", value)])


def in_array(*records: bytes) -> bytes:
    return b"[" + b",".join(records) + b"]"


def load_into(lake: InProcessLake, kind: str, text: str) -> dict[str, Any]:
    """Load a value into a table whose column has that kind already; return the row."""
    first = {"bigint": 5, "double": 0.5, "string": "x", "boolean": True, "json": [1]}[kind]
    assert lake.load(array([BASE | {"value": first}]), at=age(1)).outcome == "loaded"
    state = lake.load(in_array(record(Raw(text))), at=age(2))
    assert state.outcome == "loaded", state.reason
    assert state.tally is not None
    row = next(row for row in lake.rows() if row["event_id"] == 2)
    assert state.tally["rescued"] == (row["_rescued"] is not None)
    return row


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("bigint", "9223372036854775807", 2**63 - 1),
        ("bigint", "-9223372036854775808", -(2**63)),
        ("bigint", "5.0", 5),
        ("bigint", "1e3", 1000),
        ("bigint", "9007199254740993.0", 9007199254740993),
        ("bigint", "-0", 0),
        ("double", "5", 5.0),
        ("double", "0.30000000000000004", 0.30000000000000004),
        ("double", "0.10000000000000001", 0.1),
        ("double", "1.50", 1.5),
        ("double", "1e300", 1e300),
        ("double", "9007199254740994", 9007199254740994.0),
        ("string", '"\\u0000"', "\0"),
        ("string", '"\\ud83d\\ude00\\n\\"\\\\\\/"', '😀\n"\\/'),
        ("string", '""', ""),
        # Whatever else comes is a text as its JSON text.
        ("string", "5", "5"),
        ("string", "1.50", "1.50"),
        ("string", "123456789012345678901234567890", "123456789012345678901234567890"),
        ("string", "true", "true"),
        ("string", '{"a" : "b c"}', '{"a":"b c"}'),
        ("json", '{"b":1, "a":[0.10, 12345678901234567890123]}', '{"b":1,"a":[0.10,12345678901234567890123]}'),
        ("json", "[]", "[]"),
        ("json", "1", "1"),
        ("json", '"[1]"', '"[1]"'),
        ("boolean", "false", False),
    ],
)
def test_a_value_that_fits_is_stored_exactly(lake: InProcessLake, kind: str, text: str, value: Any) -> None:
    row = load_into(lake, kind, text)
    assert row["value"] == value
    assert type(row["value"]) is type(value)
    assert row["_rescued"] is None


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("bigint", "0.5"),
        ("bigint", '"123"'),
        ("bigint", "9223372036854775808"),
        ("bigint", "123456789012345678901234567890"),
        ("bigint", "1e400"),
        ("bigint", "true"),
        ("double", '"0.5"'),
        ("double", "9007199254740993"),
        ("double", "99457717651940830"),
        ("double", "9" * 40),
        ("double", "1e400"),
        ("double", "[0.5]"),
        ("string", '"\\ud800"'),
        ("boolean", "1"),
        ("boolean", '"true"'),
    ],
)
def test_a_value_that_does_not_fit_is_null_in_its_column_and_rescued_whole(
    lake: InProcessLake, kind: str, text: str
) -> None:
    row = load_into(lake, kind, text)
    assert row["value"] is None
    assert row["_rescued"] == f'{{"value":{text}}}'


@pytest.mark.parametrize("text", ["0.12345678901234567890", "1.2345e-320", "1e-400"])
def test_a_fraction_beyond_double_precision_is_rounded_in_its_column_and_rescued_whole(
    lake: InProcessLake, text: str
) -> None:
    row = load_into(lake, "double", text)
    assert row["value"] == float(text)
    assert row["_rescued"] == f'{{"value":{text}}}'


def test_null_creates_no_column(lake: InProcessLake) -> None:
    event = BASE | {"contactId": "a"}
    lake.load(array([event | {"later": None}]), at=age(1))
    assert "later" not in lake.columns()
    lake.load(array([event | {"later": 0.5}]), at=age(2))
    assert lake.columns()["later"] == "double"
    assert [row["later"] for row in lake.rows()] == [0.5]


def test_the_kind_of_a_column_is_inferred_from_the_whole_first_export(lake: InProcessLake) -> None:
    values: list[Any] = [1] * 3000 + [0.5, 2]
    records = [BASE | {"eventId": n, "size": value, "mixed": "x" if n else 1} for n, value in enumerate(values)]
    lake.load(array(records), at=age(1))
    assert (lake.columns()["size"], lake.columns()["mixed"]) == ("double", "string")
    assert bag(lake.records()) == bag(records)


def test_mixed_kinds_in_the_first_export_make_a_column_of_texts(lake: InProcessLake) -> None:
    values = [5, "5", [1, {"a": None}], True, 2**70]
    lake.load(array([BASE | {"eventId": n, "v": value} for n, value in enumerate(values)]), at=age(1))
    rows = sorted(lake.rows(), key=lambda row: row["event_id"])
    assert [row["v"] for row in rows] == ["5", "5", '[1,{"a":null}]', "true", str(2**70)]
    assert {row["_rescued"] for row in rows} == {None}


def test_contact_id_is_a_string_even_if_the_first_export_has_numbers(lake: InProcessLake) -> None:
    lake.load(array([BASE | {"contactId": 17}]), at=age(1))
    lake.load(array([BASE | {"contactId": "k17", "eventId": 2}]), at=age(2))
    assert lake.columns()["contact_id"] == "string"
    assert {row["contact_id"] for row in lake.rows()} == {"17", "k17"}
    assert bag(lake.records()) == bag([BASE | {"contactId": 17}, BASE | {"contactId": "k17", "eventId": 2}])


@pytest.mark.parametrize("field", ["campaignId", "carmaContactId", "eventId"])
def test_ids_have_the_kind_inferred_from_the_first_export(lake: InProcessLake, field: str) -> None:
    guid = "6f9619ff-8b86-d011-b42d-00c04fc964ff"
    lake.load(array([BASE | {field: guid}]), at=age(1))
    (row,) = lake.rows()
    column = {"campaignId": "campaign_id", "carmaContactId": "carma_contact_id", "eventId": "event_id"}[field]
    assert lake.columns()[column] == "string"
    assert (row[column], row["_rescued"]) == (guid, None)


def test_a_repeated_name_keeps_all_its_values(lake: InProcessLake) -> None:
    lake.load(in_array(b'{"eventId":1,"timestamp":"2024-03-01T10:00:00Z","a":1,"a":2,"b":null,"b":null}'))
    (row,) = lake.rows()
    assert row["a"] is None
    assert json.loads(row["_rescued"]) == {"a": [1, 2]}


def test_a_repeated_name_whose_value_truncates_the_engines_error_message(lake: InProcessLake) -> None:
    value = b'"0000\\u0800\\ud800\\udc00"'
    repeated = b'{"contactId":' + value + b',"contactId":' + value + b"}"
    state = lake.load(in_array(json.dumps(BASE).encode(), repeated))
    assert state.outcome == "loaded", state.reason
    rescued = [json.loads(row["_rescued"]) for row in lake.rows() if row["_rescued"]]
    assert rescued == [{"contactId": ["0000\u0800\U00010000"] * 2}]


def test_names_that_differ_only_in_case_get_separate_columns(lake: InProcessLake) -> None:
    records = [BASE | {"Name": "a", "name": "b", "NAME": 3}, BASE | {"eventId": 2, "name": "c", "dt": 1}]
    lake.load(array(records))
    assert {"name", "name_2", "name_3", "dt_2"} <= set(lake.columns())
    assert bag(lake.records()) == bag(records)


def test_fields_beyond_the_column_limit_are_rescued_and_may_still_identify(
    lake: InProcessLake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lambdas.lake.column_types.MAX_COLUMNS", 3)
    records = [{"a": 1, "b": 2, "c": 3, **BASE, "eventId": n} for n in range(3)]
    lake.load(array(records), at=age(1))
    lake.load(array(records[:2]), at=age(2))
    assert set(lake.columns()) >= {"a", "b", "c"}
    assert "event_id" not in lake.columns()
    assert bag(lake.records()) == bag(records)
    assert len({row["_row_id"] for row in lake.rows()}) == 3


@pytest.mark.parametrize("name", ["", "\n", "\ud800", "x" * 300, '"', "a\\b", "_row_id", "_batch_id", "_key", "ö", "5"])
def test_any_name_keeps_its_value(lake: InProcessLake, name: str) -> None:
    records = [BASE | {name: 1}, BASE | {"eventId": 2, name: 2}]
    state = lake.load(array(records), at=age(1))
    assert state.outcome == "loaded", state.reason
    assert bag(lake.records()) == bag(records)


def nested(depth: int) -> Raw:
    return Raw("[" * depth + "]" * depth)


@pytest.mark.parametrize("depth", [90, 300, 500])
def test_a_deeply_nested_value_is_kept_as_text_and_may_identify(lake: InProcessLake, depth: int) -> None:
    content = in_array(encoded([("deep", nested(depth)), ("timestamp", BASE["timestamp"])]))
    for at in (age(1), age(2)):
        state = lake.load(content, at=at)
        assert state.outcome == "loaded", state.reason
    assert [row["deep"] for row in lake.rows()] == [str(nested(depth))]


def test_a_value_beyond_the_nesting_limit_fails_the_array_with_a_reason(lake: InProcessLake) -> None:
    state = lake.load(in_array(record(nested(100_000))))
    assert state.outcome == "failed"
    assert "nested too deeply" in str(state.reason)


def test_a_line_beyond_the_nesting_limit_is_quarantined(lake: InProcessLake) -> None:
    content = record(1) + b"\n" + record(nested(100_000), 3) + b"\n" + b'{"eventId"' + b"[" * 50_000 + b"\n"
    state = lake.load(content, quarantine_ratio=1.0)
    assert state.tally is not None, state.reason
    assert (state.tally["read"], state.tally["quarantined"]) == (1, 2)


@pytest.mark.parametrize(
    "constant", ["NaN", "Infinity", "-Infinity", "nul", "01", "1.", "'a'", '"a\tb"', '"\\q"', "undefined"]
)
def test_invalid_json_fails_an_array_and_rejects_a_line(lake: InProcessLake, constant: str) -> None:
    state = lake.load(in_array(record(1), record(Raw(constant), 3)), at=age(1))
    assert state.outcome == "failed"
    assert "byte" in str(state.reason)
    assert lake.rows() == []
    state = lake.load(record(1) + b"\n" + record(Raw(constant), 3) + b"\n", at=age(2))
    assert state.tally is not None, state.reason
    assert (state.tally["read"], state.tally["quarantined"]) == (1, 1)


@pytest.mark.parametrize("broken", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80"])
def test_invalid_utf8_fails_an_array_and_rejects_a_line(lake: InProcessLake, broken: bytes) -> None:
    bad = record("?").replace(b"?", broken)
    assert lake.load(in_array(record(1), bad), at=age(1)).outcome == "failed"
    state = lake.load(record(1) + b"\n" + bad + b"\n", at=age(2))
    assert state.tally is not None, state.reason
    assert (state.tally["read"], state.tally["quarantined"]) == (1, 1)


@pytest.mark.parametrize("other", [b"null", b"7", b'"text"', b"[]", b"true", b"[1]"])
def test_a_record_that_is_no_object_is_quarantined_with_its_position(lake: InProcessLake, other: bytes) -> None:
    good, more = record(1), record(2, 3)
    for at, content in ((age(1), b"\n".join([good, other, more])), (age(2), in_array(good, other, more))):
        state = lake.load(content, at=at)
        assert state.tally is not None, state.reason
        assert (state.tally["read"], state.tally["quarantined"]) == (2, 1)
        key = lake.objects("quarantine/")[-1]
        rejected = json.loads(lake.s3.get_object(Bucket=lake.settings.bucket, Key=key)["Body"].read())
        assert rejected == {"position": content.index(other, len(good)), "text": other.decode()}


def test_a_record_of_eight_megabytes_is_loaded(lake: InProcessLake) -> None:
    records = [BASE, BASE | {"eventId": 2, "text": "é},{" * 1_400_000}, BASE | {"eventId": 3}]
    try:
        for at, content in ((age(1), array(records)), (age(2), json.dumps(records[1]).encode() + b"\n")):
            state = lake.load(content, at=at)
            assert state.outcome == "loaded", state.reason
        assert bag(lake.records()) == bag(records)
    finally:
        shutil.rmtree(lake.work)


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("what", 1, "1"),
        ("what", 1, Raw("1.0")),
        ("what", 1.5, "1.5"),
        ("what", Raw('"\\u0041"'), "A"),
        ("what", Raw('{"a":1,"b":[2.0,null]}'), Raw('{ "a": 1, "b": [2.0, null] }')),
    ],
)
def test_identity_is_the_same_for_a_value_and_its_text(lake: InProcessLake, name: str, one: Any, other: Any) -> None:
    """Without fields that say who or what, all fields of an event are its identity."""
    for at, value in ((age(1), one), (age(2), other)):
        fields = {"timestamp": BASE["timestamp"], "what": "x"} | {name: value}
        assert lake.load(in_array(encoded(fields.items())), at=at).outcome == "loaded"
    assert [row["_batch_id"] for row in lake.rows()] == ["batch-2"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (1, True),
        (None, "n"),
        (10**30, 10**30 + 1),
        (Raw("0.1234567890123456789012345678901"), Raw("0.1234567890123456789012345678902")),
        ([1], ["1"]),
        ([1, 2], [2, 1]),
        ({"a": 1}, [["a", 1]]),
        ({"a": None}, {}),
        (Raw('{"a":1,"a":2}'), {"a": 2}),
        (Raw('"\\ud800"'), Raw('"\\ud801"')),
        ("a", "a\0"),
    ],
)
def test_identity_distinguishes_different_values(lake: InProcessLake, one: Any, other: Any) -> None:
    for at, value in ((age(1), one), (age(2), other)):
        fields = [("timestamp", BASE["timestamp"]), ("what", value), ("more", 1)]
        two = encoded([("timestamp", "2024-03-02T10:00:00Z"), ("what", "x")])
        assert lake.load(in_array(encoded(fields), two), at=at).outcome == "loaded"
    assert len(lake.rows()) == 3
