"""Splitting: records come out whole from every file shape, at every piece size."""

import gzip
import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Rejected
from lambdas.lake.formats.splitting import Piece, pieces
from lambdas.lake.storage.raw_object import unpacked
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.properties import examples, records

OPENS = EXPORT_TYPES["OPENS"]
RECORDS = [
    {"eventId": 1, "name": "},{", "tags": [{"a": 1}, {"b": 2}]},
    {"eventId": 2, "name": 'a "quoted" },{"x', "nested": {"items": [{"eventId": 9}, {"eventId": 10}]}},
    {"eventId": 3, "name": "line\nbreak ] } é"},
    {"eventId": 4},
]
SIZES = [1, 7, 40, 300, 1 << 20]
BOM = b"\xef\xbb\xbf"


def chunked(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def split(content: bytes, size: int) -> list[Piece]:
    return list(pieces(unpacked(chunked(content, size)), OPENS, size=size))


def parsed(content: bytes, size: int) -> list[Any]:
    """The records of a file, split at that size."""
    found = []
    for piece in split(content, size):
        for _, text in piece.records():
            found.append(json.loads(text))
    return found


def compact(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def pretty(value: Any) -> bytes:
    return json.dumps(value, indent=2).encode()


def ndjson(values: Any, end: bytes = b"\n", last: bytes = b"\n") -> bytes:
    return end.join(map(compact, values)) + last


def wrapped(values: Any, style: Any = compact) -> bytes:
    return bytes(style({"status": "ok", "count": len(values), "data": values, "next": None}))


SHAPES: dict[str, Callable[[Sequence[Any]], bytes]] = {
    "compact array": compact,
    "pretty array": pretty,
    "array with blanks around": lambda values: b" \n\t" + pretty(values) + b"\r\n ",
    "lines": ndjson,
    "lines without a last newline": lambda values: ndjson(values, last=b""),
    "CRLF lines": lambda values: ndjson(values, b"\r\n", b"\r\n"),
    "CRLF lines without a last newline": lambda values: ndjson(values, b"\r\n", b""),
    "lines with blank ones between": lambda values: b"\n" + ndjson(values, b"\n \n\n"),
    "compact wrapper": wrapped,
    "pretty wrapper": lambda values: wrapped(values, pretty),
}
PACKINGS: dict[str, Callable[[bytes], bytes]] = {
    "plain": lambda content: content,
    "with a byte order mark": lambda content: BOM + content,
    "gzip": gzip.compress,
    "gzip of a byte order mark": lambda content: gzip.compress(BOM + content),
    "gzip in two members": lambda content: gzip.compress(content[:9]) + gzip.compress(content[9:]),
}


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("packing", PACKINGS)
@pytest.mark.parametrize("shape", SHAPES)
def test_every_shape_and_packing_round_trips(shape: str, packing: str, size: int) -> None:
    assert parsed(PACKINGS[packing](SHAPES[shape](RECORDS)), size) == RECORDS


@pytest.mark.parametrize("shape", SHAPES)
def test_a_single_record_round_trips_in_every_shape(shape: str) -> None:
    for record in RECORDS:
        assert parsed(SHAPES[shape]([record]), 1 << 20) == [record]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "content", [b"", b" \r\n ", BOM, b"[]", b"[ \n ]", BOM + b"[]\n", b'{"data":[]}', b'{"data": [\n], "n": 0}']
)
def test_empty_files_and_arrays_have_no_records(content: bytes, size: int) -> None:
    assert parsed(content, size) == []
    assert parsed(gzip.compress(content), size) == []


@pytest.mark.parametrize("size", SIZES)
def test_pieces_are_contiguous_and_independent_of_the_blocks_of_the_stream(size: int) -> None:
    for content in (compact(RECORDS * 20), ndjson(RECORDS * 20), wrapped(RECORDS * 20)):
        arrivals = [
            [(piece.offset, piece.content) for piece in pieces(unpacked(chunked(content, n)), OPENS, size=size)]
            for n in (3, 1000, len(content))
        ]
        assert arrivals[0] == arrivals[1] == arrivals[2]
        for offset, piece in arrivals[0]:
            assert content[offset : offset + len(piece)] == piece
        if size < 300:
            assert len(arrivals[0]) > 10


@pytest.mark.parametrize("size", SIZES)
def test_positions_are_byte_offsets_in_the_decompressed_file(size: int) -> None:
    for shape in SHAPES.values():
        content = shape(RECORDS)
        found = [found for piece in split(content, size) for found in piece.records()]
        assert [content[at : at + len(text)] for at, text in found] == [text for _, text in found]
        assert len(found) == len(RECORDS)


@pytest.mark.parametrize("size", SIZES)
def test_an_array_truncated_anywhere_is_refused(size: int) -> None:
    content = compact(RECORDS)
    for end in range(1, len(content)):
        with pytest.raises(Unloadable):
            parsed(content[:end], size)


@pytest.mark.parametrize("size", SIZES)
def test_a_wrapper_truncated_anywhere_is_refused(size: int) -> None:
    content = wrapped(RECORDS)
    for end in range(1, len(content)):
        with pytest.raises(Unloadable):
            parsed(content[:end], size)


def test_a_truncated_or_corrupt_gzip_file_is_refused() -> None:
    content = gzip.compress(compact(RECORDS))
    for end in range(2, len(content)):
        with pytest.raises(Unloadable):
            parsed(content[:end], 1 << 20)
    with pytest.raises(Unloadable, match="gzip"):
        parsed(content[:-6] + b"\x00" + content[-5:], 1 << 20)
    with pytest.raises(Unloadable):
        parsed(content + b"more", 1 << 20)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    "content",
    [
        b'[{"eventId":1},]',
        b'[{"eventId":1} {"eventId":2}]',
        b'[,{"eventId":1}]',
        b'[{"eventId":1}]]',
        b'[{"eventId":1}][{"eventId":2}]',
        b'[{"eventId":1}] x',
        b'{"data":[{"eventId":1},]}',
        b'{"data":[{"eventId":1}]}{"data":[{"eventId":2}]}',
        b'{"data":[{"eventId":1}]} x',
        b'{"data":[{"eventId":1}],"more":[{"eventId":2}]}',
        b'{"errors":[{"code":1}],"data":[{"eventId":2}]}',
    ],
)
def test_an_invalid_array_never_yields_the_records_before_the_error(content: bytes, size: int) -> None:
    try:
        found = [record for piece in split(content, size) for record in json_records.read(piece)]
    except Unloadable:
        return
    assert all(isinstance(record, Rejected) for record in found)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize(
    ("content", "looks"),
    [
        (b'{"status":"ok","count":3}', "status ok"),
        (b"<html>Anna, 46 kr", "<aaaa>aaaa, 99 aa"),
        (b"null", "aaaa"),
        (b"PK\x03\x04", "aa\\x03\\x04"),
        ('"Åsa"'.encode(), '"aaa"'),
        (b"7", "9"),
        (b'{"data":[1,2]}', '{"aaaa":[9,9]}'),
        (b'{"a":1}', '{"a":9}'),
        (b'{"title":"Anna","type":"x"}', '{"aaaaa":"aaaa","aaaa":"a"}'),
    ],
)
def test_an_unknown_shape_is_refused_with_the_looks_of_its_first_bytes(content: bytes, looks: str, size: int) -> None:
    with pytest.raises(Unloadable) as refused:
        parsed(content, size)
    assert f"'{looks}'" in str(refused.value)


def test_a_long_first_line_with_records_inside_is_no_wrapper() -> None:
    record = {"eventId": 1, "items": [{"text": "x" * 100} for _ in range(30_000)]}
    assert parsed(ndjson([record, {"eventId": 2}]), 1 << 10) == [record, {"eventId": 2}]


def test_a_record_longer_than_a_piece_stays_whole() -> None:
    records = [{"eventId": 1, "text": "x" * 5000}, {"eventId": 2, "text": "},{" * 3000}]
    for content in (compact(records), ndjson(records), wrapped(records)):
        assert parsed(content, 100) == records


@pytest.mark.no_cover
@examples(60)
@given(
    st.lists(records, max_size=8),
    st.sampled_from(sorted(SHAPES)),
    st.sampled_from(sorted(PACKINGS)),
    st.integers(1, 200) | st.just(1 << 20),
)
def test_any_records_round_trip_in_any_container(values: list[Any], shape: str, packing: str, size: int) -> None:
    if len(values) == 1:
        # A lone object is a record only if it looks like one.
        values = [*values, *values]
    content = SHAPES[shape](values)
    if content.startswith(b"{") and "wrapper" in shape and not values:
        content = b'{"data":[]}'
    assert parsed(PACKINGS[packing](content), size) == values
