"""The fast path is taken only where byte counts reconcile with the length of the text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.formats.ambiguous_strings import may_begin_no_string
from lambdas.lake.formats.splitting import Piece
from tests.unit.lake.parsing_paths import WITHOUT_FRACTIONS, ParsingPaths, rows_of
from tests.unit.lake.properties import examples, numerals


@pytest.mark.parametrize("text_fields", [(), ("contactId",), ("contactId", "timestamp")])
@pytest.mark.parametrize(
    "lines",
    [
        # The engine writes one value longer and drops a field of the same length.
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
        # The engine's notation is as long as the original, or longer.
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
def test_a_lossy_read_does_not_reconcile(paths: ParsingPaths, lines: list[str], text_fields: tuple[str, ...]) -> None:
    piece = Piece(("\n".join(lines).encode(),), 0, is_array=False)
    assert paths.read_fast(piece, rows_of(WITHOUT_FRACTIONS), text_fields) is None


@pytest.mark.parametrize("text_fields", [(), ("contactId",), ("contactId", "timestamp")])
@pytest.mark.parametrize(
    "text",
    [
        '{"eventId":1,"contactId":"a","timestamp":"2024-03-01T10:00:00.000+02:00","ok":true}',
        '{"eventId":1,"contactId":"é"}\n{"contactId":"a"}\n{"eventId":-2}\n',
    ],
)
def test_records_that_reconcile_take_the_fast_path(
    paths: ParsingPaths, text: str, text_fields: tuple[str, ...]
) -> None:
    piece = Piece((text.encode(),), 0, is_array=False)
    fast = paths.read_fast(piece, rows_of(WITHOUT_FRACTIONS), text_fields)
    assert fast == paths.read_texts(piece, rows_of(WITHOUT_FRACTIONS))


ALL_TEXTS = ("contactId", "timestamp")


@pytest.mark.parametrize("escaped", [(), ("contactId",), ALL_TEXTS])
@pytest.mark.parametrize("texts", [(), ("contactId",), ALL_TEXTS])
@pytest.mark.parametrize("is_array", [True, False])
def test_escaped_quotes_and_backslashes_reconcile_where_they_are_expected(
    paths: ParsingPaths, is_array: bool, texts: tuple[str, ...], escaped: tuple[str, ...]
) -> None:
    piece = Piece((rb'{"contactId":"a\"b\\","timestamp":"\\\\n"}',), 0, is_array)
    rows = rows_of(WITHOUT_FRACTIONS)
    fast = paths.read_fast(piece, rows, texts, escaped)
    assert fast == (paths.read_texts(piece, rows) if escaped == ALL_TEXTS else None)


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
def test_escapes_do_not_mask_a_lossy_read(paths: ParsingPaths, lines: list[str]) -> None:
    piece = Piece(("\n".join(lines).encode(),), 0, is_array=False)
    rows = rows_of(WITHOUT_FRACTIONS)
    for escaped in ((), ["contactId"]):
        fast = paths.read_fast(piece, rows, ALL_TEXTS, escaped)
        assert fast is None or fast == paths.read_texts(piece, rows)


@pytest.mark.parametrize("value", ["5", "-1.5e-7", "2024", "null", "NaN", "-inf", "[", "{}", "true"])
def test_an_ambiguous_string_does_not_reconcile_as_raw_text(paths: ParsingPaths, value: str) -> None:
    piece = Piece((json.dumps({"contactId": value}).replace(": ", ":").encode(),), 0, is_array=False)
    rows = rows_of(WITHOUT_FRACTIONS)
    assert paths.read_fast(piece, rows, ALL_TEXTS) is None
    assert paths.read_fast(piece, rows, ()) == paths.read_texts(piece, rows)


@pytest.mark.parametrize("value", ["2024-03-01", "46 70", "07-1", "nano", "trues", "", "-", "1e", "1.", "x[", " 5"])
def test_any_other_string_reconciles_as_raw_text(paths: ParsingPaths, value: str) -> None:
    piece = Piece((json.dumps({"contactId": value}).replace(": ", ":").encode(),), 0, is_array=False)
    rows = rows_of(WITHOUT_FRACTIONS)
    assert paths.read_fast(piece, rows, ALL_TEXTS) == paths.read_texts(piece, rows)


@examples(30)
@given(numerals | st.sampled_from(["[1]", "{}", "true", "null", "NaN", "-Infinity", "inf", "-nAn"]), st.integers(0, 9))
def test_prefixes_of_other_values_are_recognised(value: str, length: int) -> None:
    assert may_begin_no_string(value[:length])


@pytest.mark.parametrize("prefix", ["k00", "2026-01-1", "EMAIL", "nano", "é", " ", "1 ", "--", "-x", "trues", "a["])
def test_other_prefixes_belong_to_strings_alone(prefix: str) -> None:
    assert not may_begin_no_string(prefix)
