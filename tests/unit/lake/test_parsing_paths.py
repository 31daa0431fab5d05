"""All ways of reading a piece give the same rows: same values, same identities."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from lambdas.lake.column_types import Kind, Schema, is_unicode
from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Fields, Rejected
from lambdas.lake.formats.splitting import Piece
from lambdas.lake.parsing import odd_records
from lambdas.lake.parsing.layout import Layout
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.vocabulary import TimeFormat
from tests.unit.lake.parsing_paths import PLAIN, PROFILE, WITHOUT_FRACTIONS, ParsingPaths, rows_of
from tests.unit.lake.properties import Raw, encoded, examples, fractions, names, numerals, texts, values, whole

pytestmark = pytest.mark.no_cover

_FROM, _TO = datetime(1990, 1, 1), datetime(2040, 1, 1)  # noqa: DTZ001 - bounds of local times
times = st.datetimes(_FROM, _TO, timezones=st.sampled_from([UTC]) | st.timezones()).map(
    lambda moment: moment.isoformat()
) | st.sampled_from(
    [
        "2024-03-31T02:30:00.123+02:00",
        "2024-03-31",
        "2024-03-31 01:00:00Z",
        "2024-02-30",
        "infinity",
        "2024-01-01 (BC)",
        "soon",
    ]
)
regular = {
    Kind.BIGINT: whole,
    Kind.DOUBLE: fractions | st.integers(-(2**40), 2**40) | st.just(Raw("-0")),
    Kind.STRING: texts | times,
    Kind.BOOLEAN: st.booleans(),
    Kind.JSON: st.none(),
}
irregular = (
    values
    | numerals
    | st.sampled_from([Raw(r'"\ud800"'), Raw(r'"\u0041\/"'), Raw("1e400"), Raw("5.0"), Raw("-0"), Raw("-0.0")])
)
TEXTS = (Kind.STRING, Kind.ID, Kind.MIXED)
instants = times | st.integers(10**11, 10**13) | st.none()


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Piece, bool]:
    """A piece in which most values of a field have one kind, and whether it has irregular ones."""
    named = st.sampled_from(["eventId", "contactId", "timestamp", "a", "aB", "a_b", "dt", "rowid", "x y", "é", "'"])
    fields = draw(
        st.dictionaries(named | named | named | names, st.sampled_from(list(regular)), min_size=1, max_size=5)
    )
    is_irregular = draw(st.integers(0, 3)) == 0
    rows = []
    for _ in range(draw(st.integers(1, 5))):
        row: list[tuple[str, Any]] = []
        for name, kind in fields.items():
            typical = instants if name == "timestamp" else regular[kind] | st.none()
            if draw(st.integers(0, 5)):
                row.append((name, draw(irregular if is_irregular and draw(st.booleans()) else typical)))
        if is_irregular and row and draw(st.integers(0, 3)) == 0:
            row.append(draw(st.sampled_from(row)))
        rows.append(encoded(draw(st.permutations(row))))
    is_array = draw(st.booleans())
    separator = draw(st.sampled_from([b",", b" ,\n "] if is_array else [b"\n", b"\r\n", b"\n\n  \n"]))
    return Piece((separator.join(rows),), 17, is_array), is_irregular


def schema_of(piece: Piece, profile: Profile, known: Schema | None = None) -> Schema:
    schema = known or Schema()
    for found in json_records.read(piece):
        assert not isinstance(found, Rejected)
        schema = schema.widened(json_records.kinds(found), profile.is_id)
    return schema


@st.composite
def profiles(draw: st.DrawFn) -> Profile:
    """A table with days or without, with any identity; times in one field, in two, or inside an object."""
    identity = draw(
        st.lists(st.sampled_from(["eventId", "contactId", "a", "aB", "x y", "a.b"]), unique=True, max_size=3)
    )
    fields = draw(st.sampled_from([(), ("timestamp",), ("aB", "timestamp"), ("a.b",)]))
    formats, zones = st.sampled_from(list(TimeFormat)), st.sampled_from(["UTC", "Europe/Stockholm"])
    times = tuple(EventTime(name, draw(formats), draw(zones)) for name in fields)
    return Profile(event_time=times, identity=tuple(identity))


def drawn_fields(data: st.DataObject, schema: Schema) -> set[str]:
    """Fields to read as raw text or to expect escapes in, whether they qualify or not."""
    sources = [column.source for column in schema.columns]
    return set(data.draw(st.lists(st.sampled_from(sources), unique=True))) if sources else set()


@examples(20)
@given(pieces(), profiles(), st.data())
def test_all_ways_read_a_piece_alike(
    paths: ParsingPaths, drawn: tuple[Piece, bool], profile: Profile, data: st.DataObject
) -> None:
    piece, is_irregular = drawn
    schema = schema_of(piece, profile)
    rows = rows_of(schema, profile)
    texts = paths.read_texts(piece, rows)
    fast = paths.read_fast(piece, rows, *(drawn_fields(data, schema) for _ in range(3)))
    event(f"irregular: {is_irregular}, fast: {fast is not None}")
    assert texts == paths.read_texts(piece, rows, all_odd=True)
    assert fast is None or fast == texts


@examples(20)
@given(pieces(), pieces(), profiles(), st.data())
def test_all_ways_agree_under_the_schema_of_an_earlier_export(
    paths: ParsingPaths,
    drawn: tuple[Piece, bool],
    earlier_piece: tuple[Piece, bool],
    profile: Profile,
    data: st.DataObject,
) -> None:
    earlier = schema_of(earlier_piece[0], profile)
    known = Schema(columns=earlier.stored, frozen=frozenset(c.source for c in earlier.stored))
    rows = rows_of(schema_of(drawn[0], profile, known), profile)
    texts = paths.read_texts(drawn[0], rows)
    fast = paths.read_fast(drawn[0], rows, *(drawn_fields(data, rows.schema) for _ in range(3)))
    event(f"fast: {fast is not None}")
    assert texts == paths.read_texts(drawn[0], rows, all_odd=True)
    assert fast is None or fast == texts


REGULAR = [
    '{"eventId":1,"contactId":"a","timestamp":"2024-03-01T10:00:00.000+02:00","rate":0.5,"ok":true}',
    '{"eventId":9223372036854775807,"contactId":"\\u00e9\\n\\u0000","timestamp":"2024-03-01","rate":-1e-07}',
    '{"contactId":null,"timestamp":"2024-03-01T10:00","rate":0.30000000000000004}',
    '{"contactId":7,"timestamp":"2024-03-01"}',
    '{"contactId":"a","timestamp":"2024-03-01", "rate" :\t5 }',
    # Values that do not fit their columns.
    '{"eventId":0.5,"contactId":"a","timestamp":"2024-03-01"}',
    '{"eventId":"123","contactId":"a","timestamp":"2024-03-01"}',
    '{"eventId":9223372036854775808,"contactId":"a","timestamp":"2024-03-01"}',
    '{"eventId":{"a":[1, 2]},"contactId":"a","timestamp":"2024-03-01"}',
    '{"ok":"true","contactId":"a","timestamp":"2024-03-01","rate":[]}',
    '{"contactId":true,"timestamp":"2024-03-01"}',
    '{"contactId":"a","timestamp":5}',
    '{"eventId":1e2,"contactId":"a","timestamp":"2024-03-01"}',
    '{"rate":9007199254740993,"contactId":"a","timestamp":"2024-03-01"}',
    '{"rate":0.12345678901234567890,"contactId":"a","timestamp":"2024-03-01"}',
    '{"rate":1e400,"contactId":"a","timestamp":"2024-03-01"}',
    '{"rate":1e-400,"contactId":"a","timestamp":"2024-03-01"}',
    '{"rate":1.2345e-320,"contactId":"a","timestamp":"2024-03-01"}',
    '{"contactId":5.5,"timestamp":"2024-03-01"}',
    '{"contactId":[1],"timestamp":"2024-03-01"}',
    '{"contactId":-0,"timestamp":"2024-03-01"}',
    '{"contactId":"a","rate":0.5}',
]
ODD = [
    '{"eventId":1,"new":1}',
    '{"eventId":1,"eventId":2}',
    '{"eventId":1,"event\\u0049d":2}',
    '{"contactId":"\\ud800"}',
    '{"contactId":"a","\\ud800":1}',
    "{}",
]


@pytest.mark.parametrize("text", REGULAR)
@pytest.mark.parametrize("is_array", [True, False])
def test_ordinary_records_do_not_take_python(
    paths: ParsingPaths, monkeypatch: pytest.MonkeyPatch, text: str, is_array: bool
) -> None:
    piece = Piece((text.encode(),), 0, is_array)
    expected = paths.read_texts(piece, rows_of(PLAIN), all_odd=True)
    monkeypatch.setattr(odd_records, "values", None)
    assert paths.read_texts(piece, rows_of(PLAIN)) == expected


@pytest.mark.parametrize(
    "value",
    [
        '{"b":{"c":1.50,"d":"é\\u00e9"}}',
        '{"b":[1, 2.0]}',
        '{"b":1.50}',
        '{"b":null}',
        '{"b.c":1}',
        '{"b":1,"b":2}',
        "5",
    ],
)
def test_what_identifies_a_record_inside_an_object_is_its_text_in_all_ways(paths: ParsingPaths, value: str) -> None:
    piece = Piece((f'{{"a":{value},"timestamp":"2024-03-01"}}'.encode(),), 0, is_array=False)
    profile = replace(PROFILE, identity=("a.b",))
    rows = rows_of(schema_of(piece, profile), profile)
    assert paths.read_texts(piece, rows) == paths.read_texts(piece, rows, all_odd=True)


def identities(paths: ParsingPaths, identity: tuple[str, ...], *texts: str) -> list[Any]:
    """Of each record, what identifies it: its id columns with `_row_id`."""
    piece = Piece((",".join(texts).encode(),), 0, is_array=True)
    profile = replace(PROFILE, identity=identity)
    schema = schema_of(piece, profile)
    names = [column.name for column in schema.stored if column.source in identity]
    rows = [paths.row(Piece((text.encode(),), 0, is_array=True), rows_of(schema, profile)) for text in texts]
    return [[row[name] for name in [*names, "_row_id"]] for row in rows]


T = '"timestamp":"2024-03-01T10:00:00Z"'


@pytest.mark.parametrize(
    ("identity", "texts"),
    [
        # A field that is named like a path into an object takes the place of no identity.
        (("a.b",), [f'{{"a":{{"b":1}},{T}}}', f'{{"a":{{"b":2}},{T}}}', f'{{"a.b":9,{T}}}']),
        # An object that is there twice is not like none.
        (("a.b",), [f'{{"a":{{"b":1}},"a":{{"b":1}},{T}}}', f'{{"a":{{"b":3}},"a":{{"b":4}},{T}}}', f"{{{T}}}"]),
        (("contactId",), [f'{{"contactId":1,"contactId":2,{T}}}', f'{{"contactId":3,"contactId":4,{T}}}']),
        (("contactId",), [f'{{"contactId":"\\ud800",{T}}}', f'{{"contactId":"\\ud801",{T}}}']),
    ],
)
def test_different_records_are_never_identified_alike(
    paths: ParsingPaths, identity: tuple[str, ...], texts: list[str]
) -> None:
    found = identities(paths, identity, *texts)
    assert len({repr(one) for one in found}) == len(texts)


def test_a_null_that_is_there_twice_is_like_none(paths: ParsingPaths) -> None:
    one, other = identities(paths, ("contactId",), f'{{"contactId":null,"contactId":null,{T}}}', f"{{{T}}}")
    assert one == other


@pytest.mark.parametrize("text", ODD)
def test_records_that_do_not_add_up_take_python(
    paths: ParsingPaths, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    taken: list[Fields] = []
    python = odd_records.values

    def values(fields: Fields, layout: Layout) -> list[bytes]:
        taken.append(fields)
        return python(fields, layout)

    monkeypatch.setattr(odd_records, "values", values)
    piece = Piece((f'{{"contactId":"a"}}\n{text}'.encode(),), 0, is_array=False)
    assert len(paths.read_texts(piece, rows_of(PLAIN))) == 2
    assert len(taken) == 1


@pytest.mark.parametrize("text", [*ODD, '{"ok":null}', '{"contactId":1e5}', "null", '{"eventId":1} {"eventId":2}'])
def test_what_is_not_plain_does_not_reconcile(paths: ParsingPaths, text: str) -> None:
    piece = Piece((text.encode(),), 0, is_array=False)
    for text_fields in ((), ("contactId",), ("contactId", "timestamp")):
        assert paths.read_fast(piece, rows_of(WITHOUT_FRACTIONS), text_fields) is None


@pytest.mark.parametrize("broken", [b"\xff", b"\xed\xa0\x80", b"\xc0\x80"])
def test_invalid_unicode_is_rejected(paths: ParsingPaths, broken: bytes) -> None:
    for content in (b'{"contactId":"' + broken + b'"}', b'{"' + broken + b'":1}'):
        lines = paths.texts(rows_of(PLAIN)).write([Piece((content,), 0, is_array=False)], paths.folder / "lines")
        assert lines.records == 0
        assert len(lines.rejected) == 1


def _exactly(text: bytes, kind: type) -> Any:
    value = json.loads(text, parse_float=Decimal)
    return float(value) if kind is float else value


@examples(30)
@given(st.lists(st.tuples(names | texts, values | irregular), max_size=5))
def test_every_value_is_in_its_column_or_rescued_whole(paths: ParsingPaths, fields: list[tuple[str, Any]]) -> None:
    text = encoded(fields)
    piece = Piece((text,), 0, is_array=True)
    schema = PLAIN if len(fields) % 2 else schema_of(piece, PROFILE)
    found = next(json_records.read(piece))
    assert not isinstance(found, Rejected)
    row = paths.row(piece, rows_of(schema, PROFILE))
    rescued = json.loads(row["_rescued"] or "{}", parse_float=str, parse_int=str)
    for name, raw_values in found.items():
        if all(one == b"null" for one in raw_values):
            continue
        column = schema.by_source.get(name)
        one = json.loads(raw_values[0], parse_float=str, parse_int=str)
        if name in rescued:
            assert rescued[name] == (
                one if len(raw_values) == 1 else [json.loads(h, parse_float=str, parse_int=str) for h in raw_values]
            )
            # What an identity or a text is made of is rescued only where it is no text at all.
            assert column is None or column.kind not in TEXTS or len(raw_values) > 1 or not is_unicode(one)
            continue
        assert column is not None
        assert len(raw_values) == 1
        value = row[column.name]
        if column.kind is Kind.JSON or (column.kind in TEXTS and raw_values[0][:1] in b"[{"):
            assert json.loads(value, parse_float=str, parse_int=str) == one
        elif column.kind is Kind.ID and raw_values[0][:1] in b"-0123456789":
            assert Decimal(value) == Decimal(raw_values[0].decode())
        elif column.kind in TEXTS:
            assert value == (one if raw_values[0].startswith(b'"') else raw_values[0].decode())
        else:
            assert value == _exactly(raw_values[0], type(value))
