"""What the engine reads as it is adds up to the length of the text, or is not taken."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.formats.ambiguous_strings import may_begin_no_string
from lambdas.lake.formats.splitting import Piece
from tests.unit.lake.laws import examples, numerals
from tests.unit.lake.parsing_paths import WITHOUT_FRACTIONS, Ways, rows_of


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
