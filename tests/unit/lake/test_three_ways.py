"""The quick, the strict and the careful way read a piece the same, value for value and identity for identity."""

import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from lambdas.lake import careful, engine
from lambdas.lake.accounts import Accountant, may_begin_no_string
from lambdas.lake.careful import Rejected
from lambdas.lake.containers import Piece, write_piece
from lambdas.lake.runs import Chunk
from lambdas.lake.schema import Column, Kind, Schema
from lambdas.lake.staging import Rows, records, staged, staged_normalised
from lambdas.lake.strict import StrictReader
from lambdas.symplify.vocabulary import EXPORT_TYPES
from tests.unit.lake.laws import Raw, examples, fractions, names, spelled, texts, values, whole

OPENS = EXPORT_TYPES["OPENS"]

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
numerals = st.from_regex(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(Raw)
usual = {
    Kind.BIGINT: whole,
    Kind.DOUBLE: fractions | st.integers(-(2**40), 2**40) | st.just(Raw("-0")),
    Kind.STRING: texts | times,
    Kind.BOOLEAN: st.booleans(),
    Kind.JSON: st.none(),
}
odd = (
    values
    | numerals
    | st.sampled_from([Raw(r'"\ud800"'), Raw(r'"\u0041\/"'), Raw("1e400"), Raw("5.0"), Raw("-0"), Raw("-0.0")])
)
instants = times | st.integers(10**11, 10**13) | st.none()


@st.composite
def pieces(draw: st.DrawFn) -> tuple[Piece, bool]:
    """A piece most of whose values are of one kind a field."""
    named = st.sampled_from(["eventId", "contactId", "timestamp", "a", "aB", "a_b", "dt", "rowid", "x y", "é", "'"])
    fields = draw(st.dictionaries(named | named | named | names, st.sampled_from(list(usual)), min_size=1, max_size=5))
    is_odd = draw(st.integers(0, 3)) == 0
    rows = []
    for _ in range(draw(st.integers(1, 5))):
        row: list[tuple[str, Any]] = []
        for name, kind in fields.items():
            usually = instants if name == "timestamp" else usual[kind] | st.none()
            if draw(st.integers(0, 5)):
                row.append((name, draw(odd if is_odd and draw(st.booleans()) else usually)))
        if is_odd and row and draw(st.integers(0, 3)) == 0:
            row.append(draw(st.sampled_from(row)))
        rows.append(spelled(draw(st.permutations(row))))
    is_array = draw(st.booleans())
    separator = draw(st.sampled_from([b",", b" ,\n "] if is_array else [b"\n", b"\r\n", b"\n\n  \n"]))
    return Piece((separator.join(rows),), 17, is_array), is_odd


def schema_of(piece: Piece, known: Schema | None = None) -> Schema:
    schema = known or Schema()
    for found in careful.read(piece):
        assert not isinstance(found, Rejected)
        schema = schema.widened(careful.kinds(found), OPENS)
    return schema


class Ways:
    """The ways of staging, each into a chunk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.engine = engine.connect(folder)

    def quick(self, piece: Piece, rows: Rows, texts: Iterable[str], escaped: Iterable[str] = ()) -> list[str] | None:
        accountant = Accountant(rows.schema, texts, escaped)
        if not (accountant.is_usable and StrictReader(rows.schema, OPENS.event_time).is_usable):
            return None
        file = write_piece(piece, self.folder / "quick.json")
        with self.engine.cursor() as own:
            try:
                part, _ = self.chunk(own, rows).add(staged(rows, accountant.source([file])))
            except (duckdb.Error, UnicodeDecodeError):
                return None
            return read(own, part) if accountant.adds_up(own, part, [file]) else None

    def strict(self, piece: Piece, rows: Rows) -> list[str] | None:
        count = StrictReader(rows.schema, OPENS.event_time).count(piece)
        if count is None:
            return None
        file = write_piece(piece, self.folder / "strict.json")
        with self.engine.cursor() as own:
            try:
                part, added = self.chunk(own, rows).add(staged(rows, records([file], rows.schema)))
            except (duckdb.InvalidInputException, UnicodeDecodeError):
                return None
            found = read(own, part)
        assert len(found) == count == added
        return found

    def careful(self, piece: Piece, rows: Rows) -> list[str]:
        found = list(careful.read(piece))
        assert not any(isinstance(one, Rejected) for one in found)
        content = [
            careful.normalised(one, rows.schema, OPENS.event_time) for one in found if not isinstance(one, Rejected)
        ]
        (self.folder / "careful.json").write_bytes(b"\n".join(content))
        with self.engine.cursor() as own:
            part, added = self.chunk(own, rows).add(staged_normalised(rows, self.folder / "careful.json"))
            carefully = read(own, part)
        assert len(carefully) == len(found) == added
        return carefully

    def chunk(self, own: duckdb.DuckDBPyConnection, rows: Rows) -> Chunk:
        return Chunk(own, rows, self.folder, "chunk")


def read(duck: duckdb.DuckDBPyConnection, part: Path) -> list[str]:
    return sorted(map(repr, duck.execute(f"FROM {engine.parquet([part])}").fetchall()))


def rows_of(schema: Schema) -> Rows:
    return Rows(OPENS, schema, "Europe/Stockholm", datetime(2024, 3, 1, tzinfo=UTC), "b'1")


def drawn_fields(data: st.DataObject, schema: Schema) -> set[str]:
    """Fields to read as texts, or to look for escapes in, whether they can be or not."""
    sources = [column.source for column in schema.columns]
    return set(data.draw(st.lists(st.sampled_from(sources), unique=True))) if sources else set()


@pytest.fixture(scope="module")
def ways(tmp_path_factory: pytest.TempPathFactory) -> Ways:
    return Ways(tmp_path_factory.mktemp("ways"))


@examples(250)
@given(pieces(), st.data())
def test_a_piece_that_a_quicker_way_takes_is_read_the_same_by_the_careful_way(
    ways: Ways, made: tuple[Piece, bool], data: st.DataObject
) -> None:
    piece, is_odd = made
    schema = schema_of(piece)
    identity = (
        tuple(data.draw(st.lists(st.sampled_from([c.source for c in schema.columns]), unique=True)))
        if schema.columns
        else ()
    )
    rows = rows_of(replace(schema, identity=identity, identity_is_key=len(identity) == 1, identity_frozen=True))
    strict = ways.strict(piece, rows)
    quick = ways.quick(piece, rows, drawn_fields(data, schema), drawn_fields(data, schema))
    event(f"odd: {is_odd}, strict: {strict is not None}, quick: {quick is not None}")
    carefully = ways.careful(piece, rows)
    assert strict is None or strict == carefully
    assert quick is None or quick == carefully


@examples(120)
@given(pieces(), pieces(), st.data())
def test_the_ways_agree_under_columns_that_another_export_has_made(
    ways: Ways, made: tuple[Piece, bool], before: tuple[Piece, bool], data: st.DataObject
) -> None:
    earlier = schema_of(before[0])
    known = Schema(columns=earlier.stored, frozen=frozenset(c.source for c in earlier.stored))
    sources = [c.source for c in known.columns]
    identity = tuple(data.draw(st.lists(st.sampled_from(sources), unique=True))) if sources else ()
    rows = rows_of(replace(schema_of(made[0], known), identity=identity))
    strict = ways.strict(made[0], rows)
    quick = ways.quick(made[0], rows, drawn_fields(data, rows.schema), drawn_fields(data, rows.schema))
    event(f"strict: {strict is not None}, quick: {quick is not None}")
    carefully = ways.careful(made[0], rows)
    assert strict is None or strict == carefully
    assert quick is None or quick == carefully


PLAIN = Schema(
    columns=(
        Column("eventId", "event_id", Kind.BIGINT),
        Column("contactId", "contact_id", Kind.STRING),
        Column("timestamp", "timestamp", Kind.STRING),
        Column("rate", "rate", Kind.DOUBLE),
        Column("ok", "ok", Kind.BOOLEAN),
    ),
    identity=("eventId", "contactId"),
)


WITHOUT_FRACTIONS = replace(PLAIN, columns=tuple(one for one in PLAIN.columns if one.kind is not Kind.DOUBLE))


@pytest.mark.parametrize(
    "text",
    [
        '{"eventId":1,"contactId":"a","timestamp":"2024-03-01T10:00:00.000+02:00","rate":0.5,"ok":true}',
        '{"eventId":9223372036854775807,"contactId":"\\u00e9\\n\\u0000","rate":-1e-5}',
        '{"contactId":null,"rate":0.30000000000000004}',
        "{}",
    ],
)
@pytest.mark.parametrize("is_array", [True, False])
def test_ordinary_records_go_the_strict_way(ways: Ways, text: str, is_array: bool) -> None:
    piece = Piece((text.encode(),), 0, is_array)
    strict = ways.strict(piece, rows_of(PLAIN))
    assert strict is not None
    assert strict == ways.careful(piece, rows_of(PLAIN))


@pytest.mark.parametrize(
    "text",
    [
        '{"eventId":0.5}',
        '{"eventId":"123"}',
        '{"eventId":9223372036854775808}',
        '{"eventId":1,"new":1}',
        '{"eventId":1,"eventId":2}',
        '{"eventId":1,"event\\u0049d":2}',
        '{"rate":9007199254740993}',
        '{"rate":0.12345678901234567890}',
        '{"rate":1e400}',
        '{"rate":1e-400}',
        '{"rate":1.2345e-320}',
        '{"rate":NaN}',
        '{"contactId":"\\ud800"}',
        '{"contactId":5}',
        '{"ok":"true"}',
        '{"ok":[]}',
        "null",
        '{"eventId":1} {"eventId":2}',
        '{"eventId":\n1}',
    ],
)
def test_anything_odd_goes_the_careful_way(ways: Ways, text: str) -> None:
    piece = Piece((text.encode(),), 0, is_array=False)
    assert ways.strict(piece, rows_of(PLAIN)) is None
    for given_texts in ((), ("contactId",), ("contactId", "timestamp")):
        assert ways.quick(piece, rows_of(WITHOUT_FRACTIONS), given_texts) is None


@pytest.mark.parametrize("given_texts", [(), ("contactId",), ("contactId", "timestamp")])
@pytest.mark.parametrize(
    "lines",
    [
        # A text that the engine spells longer, and a field that it leaves out, of the same length.
        ['{"contactId":1e5}', '{"eventId":1,"x":12}'],
        ['{"contactId":1e5,"x":12}'],
        ['{"eventId":1e5,"x":""}'],
        ['{"eventId":1}', '{"x":1,"eventId":2}'],
        ['{"eventId":1,"contactId":"a","x":null}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"contactIx":"a"}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"CONTACTID":"a"}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"contactId":true}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"contactId":nan}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"contactId":-inf,"x":1}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"contactId":[1e5]}'],
        ['{"eventId":1,"contactId":"a"}', '{"eventId":1,"contactId":{}}'],
        ['{"eventId":1}', "null"],
        ['{"eventId":1}', "5"],
        ['{"eventId":1}', '{"eventId":2,}'],
        ['{"eventId":1}', '\x0c{"eventId":2}'],
        ['{"eventId":1}', "{}"],
        # What comes out as long as it stood there, or longer.
        ['{"eventId":1e2}'],
        ['{"eventId":10E2}'],
        ['{"eventId":100e-1,"x":0}'],
        ['{"eventId":1}', '{"ok":1,"x":""}'],
        ['{"eventId":1}', '{"ok":"true"}'],
        ['{"eventId":1}', '{"eventId":true}'],
        ['{"eventId":9.5}'],
        ['{"eventId":12}', '{"eventId":"12"}'],
        ['{"eventId":[1]}'],
    ],
)
def test_what_the_engine_would_lose_does_not_add_up(ways: Ways, lines: list[str], given_texts: tuple[str, ...]) -> None:
    piece = Piece(("\n".join(lines).encode(),), 0, is_array=False)
    assert ways.quick(piece, rows_of(WITHOUT_FRACTIONS), given_texts) is None


@pytest.mark.parametrize("given_texts", [(), ("contactId",), ("contactId", "timestamp")])
@pytest.mark.parametrize(
    "text",
    [
        '{"eventId":1,"contactId":"a","timestamp":"2024-03-01T10:00:00.000+02:00","ok":true}',
        '{"eventId":1,"contactId":"é","timestamp":null}\n{"contactId":"a"}\n{"eventId":null,"contactId":"b"}\n',
        '{"eventId":1,"contactId":"a"}\r\n\r\n{"eventId":-2,"contactId":"b"}\r\n',
    ],
)
def test_what_adds_up_goes_the_quick_way(ways: Ways, text: str, given_texts: tuple[str, ...]) -> None:
    piece = Piece((text.encode(),), 0, is_array=False)
    quick = ways.quick(piece, rows_of(WITHOUT_FRACTIONS), given_texts)
    assert quick == ways.careful(piece, rows_of(WITHOUT_FRACTIONS))


ALL_TEXTS = ("contactId", "timestamp")
ESCAPES = r'{"contactId":"a\"b\\\\ \n\/\u0041\u00e5\u20ac\ud83d\ude00","timestamp":"\\n"}'


@pytest.mark.parametrize("escaped", [(), ("contactId",), ALL_TEXTS])
@pytest.mark.parametrize("texts", [(), ("contactId",), ALL_TEXTS])
@pytest.mark.parametrize("is_array", [True, False])
def test_escapes_add_up_whether_expected_or_not(
    ways: Ways, is_array: bool, texts: tuple[str, ...], escaped: tuple[str, ...]
) -> None:
    piece = Piece((ESCAPES.encode(),), 0, is_array)
    rows = rows_of(WITHOUT_FRACTIONS)
    assert ways.quick(piece, rows, texts, escaped) == ways.careful(piece, rows)


@pytest.mark.parametrize(
    "lines",
    [
        [r'{"contactId":"\\u0041"}'],
        [r'{"contactId":"a\nb\nc\nd\ne","x":""}'],
        [r'{"contactId":"\n"}', r'{"eventId":1,"\n":1}'],
        [r'{"contactId":"\n","x":"\u0041\u0041"}'],
        [r'{"contactI\u0064":"a","eventId":1}', r'{"contactId":"\n","\u0065":null}'],
    ],
)
def test_escapes_hide_nothing_that_the_engine_loses(ways: Ways, lines: list[str]) -> None:
    piece = Piece(("\n".join(lines).encode(),), 0, is_array=False)
    rows = rows_of(WITHOUT_FRACTIONS)
    for escaped in ((), ["contactId"]):
        quick = ways.quick(piece, rows, ALL_TEXTS, escaped)
        assert quick is None or quick == ways.careful(piece, rows)


@pytest.mark.parametrize("value", ["5", "-1.5e-7", "2024", "null", "NaN", "-inf", "[", "{}", "true"])
def test_a_text_that_could_be_another_value_does_not_add_up(ways: Ways, value: str) -> None:
    piece = Piece((json.dumps({"contactId": value}).replace(": ", ":").encode(),), 0, is_array=False)
    rows = rows_of(WITHOUT_FRACTIONS)
    assert ways.quick(piece, rows, ALL_TEXTS) is None
    assert ways.quick(piece, rows, ()) == ways.careful(piece, rows)


@pytest.mark.parametrize("value", ["2024-03-01", "46 70", "07-1", "nano", "trues", "", "-", "1e", "1.", "x[", " 5"])
def test_any_other_text_adds_up(ways: Ways, value: str) -> None:
    piece = Piece((json.dumps({"contactId": value}).replace(": ", ":").encode(),), 0, is_array=False)
    rows = rows_of(WITHOUT_FRACTIONS)
    assert ways.quick(piece, rows, ALL_TEXTS) == ways.careful(piece, rows)


@examples(60)
@given(numerals | st.sampled_from(["[1]", "{}", "true", "null", "NaN", "-Infinity", "inf", "-nAn"]), st.integers(0, 9))
def test_what_is_no_string_begins_so(value: str, length: int) -> None:
    assert may_begin_no_string(value[:length])


@pytest.mark.parametrize("prefix", ["k00", "2026-01-1", "EMAIL", "nano", "é", " ", "1 ", "--", "-x", "trues", "a["])
def test_a_prefix_that_no_other_value_has_is_a_strings(prefix: str) -> None:
    assert not may_begin_no_string(prefix)


def test_invalid_unicode_goes_the_careful_way(ways: Ways) -> None:
    for broken in (b"\xff", b"\xed\xa0\x80", b"\xc0\x80"):
        for content in (b'{"contactId":"' + broken + b'"}', b'{"' + broken + b'":1}'):
            assert ways.strict(Piece((content,), 0, is_array=False), rows_of(PLAIN)) is None


def _exactly(text: bytes, kind: type) -> Any:
    value = json.loads(text, parse_float=Decimal)
    return float(value) if kind is float else value


@examples(150)
@given(st.lists(st.tuples(names | texts, values | odd), max_size=5))
def test_every_value_is_in_its_column_or_whole_among_the_rescued(fields: list[tuple[str, Any]]) -> None:
    text = spelled(fields)
    piece = Piece((text,), 0, is_array=True)
    schema = PLAIN if len(fields) % 2 else schema_of(piece)
    found = next(careful.read(piece))
    assert not isinstance(found, Rejected)
    row = json.loads(careful.normalised(found, schema, OPENS.event_time))
    rescued = json.loads(row.get("_rescued", "{}"), parse_float=str, parse_int=str)
    for name, held in found.items():
        if all(one == b"null" for one in held):
            continue
        column = schema.by_source.get(name)
        one = json.loads(held[0], parse_float=str, parse_int=str)
        if name in rescued:
            assert rescued[name] == (
                one if len(held) == 1 else [json.loads(h, parse_float=str, parse_int=str) for h in held]
            )
            continue
        assert column is not None
        assert len(held) == 1
        value = row[column.name]
        if column.kind is Kind.JSON:
            assert value.encode() == held[0]
        else:
            assert value == _exactly(held[0], type(value))
