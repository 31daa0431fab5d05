"""Splits a decompressed result file into pieces of whole records.

Supported: a JSON array, an object that wraps exactly one array of records (`wrapper.py`), newline-delimited JSON and
what else leaves no doubt about its records (`json_lines.py`), and objects written over several lines. An empty file and
an empty array have no records. Anything else is refused with the looks of its first bytes.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_lines, json_scan
from lambdas.lake.formats.block_buffer import BlockBuffer
from lambdas.lake.formats.json_scan import SPACE, shown
from lambdas.lake.formats.wrapper import Wrapper, check_last, first_object, wrapped_array
from lambdas.lake.formats.wrapper_claims import Claims
from lambdas.vocabulary import ExportType

# Large enough for the engine's full speed, small enough that several fit in memory.
PIECE_BYTES = 16 << 20
# The limit of a record and of a wrapper's text; the vendor's records have a few hundred bytes.
MAX_RECORD_BYTES = 64 << 20

# In JSON, a quote that closes a string is followed by `:,]}` or whitespace. So this never matches inside a string: it
# is the boundary of two objects, though maybe of an inner array.
_BOUNDARY = re.compile(rb'\}\s*(,)\s*\{\s*"[^\s:,\]}]')
_BOUNDARY_REACH = 1 << 20
_BOUNDARY_TRIES = 8
# Far longer than what an exporter writes instead of the rest, and than blanks before a second line.
_LAST_LINE_BYTES = 1 << 16
_NEXT_LINE_BYTES = 1 << 10


class WrongSplit(Exception):
    """An optimistic split was inside a record."""


@dataclass(frozen=True)
class Piece:
    """Whole records: lines of newline-delimited JSON, or the inside of an array (without its brackets)."""

    parts: tuple[bytes | memoryview, ...]
    """Views of its content in the blocks of the stream."""
    offset: int
    """Where it starts in the decompressed file, in bytes."""
    is_array: bool
    is_spread: bool = False
    """Whether records are written over several lines, outside an array."""
    claims: Claims | None = None
    """On the last piece: what a wrapper says about its records."""

    @cached_property
    def content(self) -> bytes:
        """All of it, joined, which takes time."""
        return b"".join(self.parts)

    def elements(self) -> list[msgspec.Raw] | None:
        """The texts of an array's records; None when its inside is no sequence of whole ones, or odd JSON."""
        return _elements(self.content)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """Yield each record's position in the file and its text. A line may be anything.

        Raises:
            Unloadable: the inside of an array, or of records over several lines, is broken.
        """
        if self.is_array:
            yield from self._elements()
            return
        read = json_lines.spread_records if self.is_spread else json_lines.records
        try:
            for position, text in read(self.content):
                yield self.offset + position, text
        except json_scan.InvalidJson as error:
            raise Unloadable(_broken(self.content, self.offset, error)) from None

    def _elements(self) -> Iterator[tuple[int, bytes]]:
        walked = json_scan.after_space(self.content, 0)
        try:
            for start, end, after in json_scan.values(self.content):
                yield self.offset + start, self.content[start:end]
                walked = after
            if walked < len(self.content):
                raise json_scan.InvalidJson(f"no comma stands before {shown(self.content[walked:])}")
        except json_scan.InvalidJson as error:
            raise Unloadable(_broken(self.content, self.offset, error)) from None


@dataclass(frozen=True)
class PieceFile:
    """A piece in a file of its own, as the engine reads it: an array has its brackets."""

    path: Path
    offset: int
    bytes: int
    """Of the piece, without brackets."""
    is_array: bool
    ends_line: bool
    """Whether its last byte is a newline."""
    is_spread: bool

    def load(self) -> Piece:
        """Read the piece back."""
        content = self.path.read_bytes()
        return Piece((content[1:-1] if self.is_array else content,), self.offset, self.is_array, self.is_spread)


def write_piece(piece: Piece, path: Path) -> PieceFile:
    """Write a piece for the engine. Overwriting an existing file takes a third of the time of a new one."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.writelines((b"[", *piece.parts, b"]") if piece.is_array else piece.parts)
        file.truncate()
    ends_line = not piece.is_array and bytes(piece.parts[-1][-1:]) == b"\n"
    return PieceFile(
        path=path,
        offset=piece.offset,
        bytes=sum(map(len, piece.parts)),
        is_array=piece.is_array,
        ends_line=ends_line,
        is_spread=piece.is_spread,
    )


def pieces(
    blocks: Iterator[bytes], export: ExportType, size: int = PIECE_BYTES, *, is_optimistic: bool = False
) -> Iterator[Piece]:
    """Split a decompressed file into pieces of about `size` bytes, deterministically.

    An optimistic split of an array assumes that `},{` is a record boundary. If it is not, the piece before it is
    not whole, and the caller splits again safely.

    Raises:
        Unloadable: the format is not supported, or the file is truncated.
    """
    buffer = BlockBuffer(blocks)
    buffer.drop_space()
    # The format is recognised by the same number of bytes, however small the pieces.
    buffer.fill(max(size, PIECE_BYTES))
    head = buffer.head()
    if not head:
        return iter(())
    if head.startswith(b"["):
        if _is_page(buffer):
            return _rows(buffer, size)
        buffer.drop(1)
        return _array(buffer, size, is_optimistic=is_optimistic)
    if not head.startswith(b"{"):
        raise Unloadable(f"The file is neither a JSON array nor newline-delimited JSON; it looks like {shown(head)}.")
    first = first_object(buffer)
    start = wrapped_array(first, export)
    if start is None:
        return _rows(buffer, size, is_spread=first.is_spread)
    wrapper = Wrapper(buffer.joined(0, start), export)
    buffer.drop(start + 1)
    return _array(buffer, size, wrapper, is_optimistic=is_optimistic)


def _is_page(buffer: BlockBuffer) -> bool:
    """Whether the first line is an array of its own, and others follow."""
    end = buffer.find(b"\n")
    if end < 0 or not buffer.joined(end, end + _NEXT_LINE_BYTES).strip(SPACE):
        return False
    line = buffer.joined(0, end).rstrip(SPACE)
    return line.endswith(b"]") and _is_whole(line[1:-1])


def _rows(buffer: BlockBuffer, size: int, *, is_spread: bool = False) -> Iterator[Piece]:
    """Split lines at their ends; what has none, and records over several lines, after whole records."""
    wanted = size
    while True:
        if buffer.holds_the_rest(wanted):
            if buffer.size:
                if not is_spread:
                    _check_end(buffer)
                yield Piece(buffer.parts(0, buffer.size), buffer.offset, is_array=False, is_spread=is_spread)
            return
        end = 0 if is_spread else buffer.rfind(b"\n", wanted) + 1
        end = end or json_lines.after_records(buffer.joined(0, wanted))
        if end:
            yield Piece(buffer.parts(0, end), buffer.offset, is_array=False, is_spread=is_spread)
            buffer.drop(end)
            wanted = size
        else:
            wanted = _more(wanted, buffer.offset)


def _check_end(buffer: BlockBuffer) -> None:
    """Check the last line of a file: the only place where a cut of newline-delimited JSON shows."""
    start = buffer.rfind(b"\n", buffer.size) + 1
    line = buffer.joined(start, buffer.size)
    if line.strip(SPACE) and not line.endswith(b"\r") and json_lines.is_cut(line.strip(SPACE)):
        raise Unloadable(
            f"The file is cut: its last line, which begins at byte {buffer.offset + start} of the unpacked file, has "
            "no line end and is no whole JSON. Order the export again."
        )
    last = buffer.joined(max(0, buffer.size - _LAST_LINE_BYTES), buffer.size).rstrip(SPACE)
    check_last(last[max(last.rfind(b"\n"), last.rfind(b"\r")) + 1 :])


def _array(
    buffer: BlockBuffer, size: int, wrapper: Wrapper | None = None, *, is_optimistic: bool = False
) -> Iterator[Piece]:
    """Split the inside of an array."""
    wanted, is_after_comma = size, False
    while True:
        if buffer.holds_the_rest(wanted):
            data = buffer.joined(0, buffer.size)
            end = _closing(data, buffer.offset, wrapper)
            is_empty = not data[:end].strip(SPACE)
            if is_empty and is_after_comma:
                raise Unloadable(_broken(data, buffer.offset, "a comma stands before its end"))
            claims = wrapper.check(data[end + 1 :], holds_records=not is_empty or is_after_comma) if wrapper else None
            if not is_empty:
                yield Piece((data[:end],), buffer.offset, is_array=True, claims=claims)
            elif claims is not None:
                claims.check(0)
            return
        cut = _boundary(buffer, wanted, is_optimistic=is_optimistic)
        if cut is None:
            wanted = _more(wanted, buffer.offset)
            continue
        yield Piece(buffer.parts(0, cut), buffer.offset, is_array=True)
        buffer.drop(cut + 1)
        wanted, is_after_comma = size, True


def _boundary(buffer: BlockBuffer, size: int, *, is_optimistic: bool) -> int | None:
    """The position of a comma between two records: proven to follow whole records, or assumed to."""
    start = max(0, size - _BOUNDARY_REACH)
    found = [start + match.start(1) for match in _BOUNDARY.finditer(buffer.joined(start, size))]
    if is_optimistic and found:
        return found[-1]
    data = buffer.joined(0, size)
    for cut in reversed(found[-_BOUNDARY_TRIES:]):
        if _is_whole(data[:cut]):
            return cut
    # Inner arrays, or records that the fast decoder refuses: walk from record to record.
    last: int | None = None
    try:
        for _, _, after in json_scan.values(data):
            if data[after : after + 1] == b",":
                last = after
    except json_scan.InvalidJson:
        pass
    return last


def _elements(data: bytes) -> list[msgspec.Raw] | None:
    try:
        return msgspec.json.decode(b"[%b]" % data, type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _is_whole(data: bytes) -> bool:
    return _elements(data) is not None


def _closing(data: bytes, offset: int, wrapper: Wrapper | None) -> int:
    """Check the end of the file; return where the array's content ends."""
    text = data.rstrip(SPACE)
    if wrapper is None and text.endswith(b"]") and _is_whole(text[:-1]):
        return len(text) - 1
    try:
        end = json_scan.after_space(data, 0)
        for _, _, after in json_scan.values(data):
            end = after
    except json_scan.InvalidJson as error:
        raise Unloadable(_broken(data, offset, error)) from None
    if data[end : end + 1] != b"]":
        raise Unloadable(_broken(data, offset, "it has no end"))
    if wrapper is None and data[end + 1 :].strip(SPACE):
        raise Unloadable(
            f"The JSON array ends at byte {offset + end} of the unpacked file and something follows it: the file may "
            "be several in one. Look there in raw/."
        )
    return end


def _more(wanted: int, offset: int) -> int:
    if wanted >= MAX_RECORD_BYTES:
        raise Unloadable(
            f"The record at byte {offset} of the unpacked file is longer than {MAX_RECORD_BYTES >> 20} MiB, or the "
            "file is not what it looks like. Look there in raw/."
        )
    return wanted * 2


def _broken(data: bytes, offset: int, problem: object) -> str:
    return (
        f"The JSON is cut or broken somewhere after byte {offset} of the unpacked file: {problem}; its last bytes look "
        f"like {shown(data[-60:])}. Order the export again."
    )
