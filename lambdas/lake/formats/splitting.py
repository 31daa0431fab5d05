"""The shapes a result file may have, cut into pieces of whole records.

Known: a JSON array, newline-delimited JSON, and an object that wraps exactly one array of records. An empty file and an
empty array hold no records. Anything else is refused with its first bytes. Unpacking happens before (`source.py`).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import msgspec

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_scan
from lambdas.lake.formats.block_buffer import Buffer
from lambdas.lake.formats.json_scan import SPACE
from lambdas.vocabulary import ExportType

# Large enough that the engine works at full speed on a piece, small enough that several fit the memory.
PIECE_BYTES = 16 << 20
# One record, or what stands around the records, is never longer; the vendor's records have a few hundred bytes.
MAX_RECORD_BYTES = 64 << 20

_NO_SPACE = re.compile(rb"[^ \t\r\n]")
# In JSON, a quote that opens a name is followed by the name, and one that closes a string by `:,]}` or a blank. So this
# never stands inside a string: it is the seam between two objects, though maybe of an inner array.
_SEAM = re.compile(rb'\}\s*(,)\s*\{\s*"[^\s:,\]}]')
_SEAM_REACH = 1 << 20
_SEAM_TRIES = 8


@dataclass(frozen=True)
class Piece:
    """Whole records: lines of newline-delimited JSON, or the inside of an array (without its brackets)."""

    parts: tuple[bytes | memoryview, ...]
    """Of its content, as they lie in the blocks of the stream."""
    offset: int
    """Where it starts in the unpacked file, in bytes."""
    is_array: bool

    @cached_property
    def content(self) -> bytes:
        """All of it, put together, which takes time."""
        return b"".join(self.parts)

    @property
    def is_whole(self) -> bool:
        """Whether the inside of an array is whole records, in JSON that the quick decoder takes."""
        return _is_whole(self.content)

    def records(self) -> Iterator[tuple[int, bytes]]:
        """The records as they stand in the file, each with its position there. A line may be no JSON at all.

        Raises:
            Unloadable: the inside of an array breaks off.
        """
        if self.is_array:
            yield from self._elements()
            return
        start = 0
        while start < len(self.content):
            end = self.content.find(b"\n", start)
            end = len(self.content) if end < 0 else end
            line = self.content[start:end].strip(SPACE)
            if line:
                yield self.offset + start, line
            start = end + 1

    def _elements(self) -> Iterator[tuple[int, bytes]]:
        walked = json_scan.after_space(self.content, 0)
        try:
            for start, end, after in json_scan.values(self.content):
                yield self.offset + start, self.content[start:end]
                walked = after
            if walked < len(self.content):
                raise json_scan.Broken(f"no comma stands before {_shown(self.content[walked:])}")
        except json_scan.Broken as error:
            raise Unloadable(_broken(self.content, self.offset, error)) from None


@dataclass(frozen=True)
class PieceFile:
    """A piece in a file of its own, as the engine reads it: an array with brackets around it."""

    path: Path
    offset: int
    bytes: int
    """Of the piece, without brackets."""
    is_array: bool
    ends_line: bool
    """Whether its last byte ends a record's line."""

    def load(self) -> Piece:
        """The piece that was written."""
        content = self.path.read_bytes()
        return Piece((content[1:-1] if self.is_array else content,), self.offset, self.is_array)


def write_piece(piece: Piece, path: Path) -> PieceFile:
    """Write a piece for the engine. Over a file that is there: that takes a third of the time of a new one."""
    with path.open("r+b" if path.exists() else "wb") as file:
        file.writelines((b"[", *piece.parts, b"]") if piece.is_array else piece.parts)
        file.truncate()
    ends_line = not piece.is_array and bytes(piece.parts[-1][-1:]) == b"\n"
    return PieceFile(path, piece.offset, sum(map(len, piece.parts)), piece.is_array, ends_line)


def pieces(
    blocks: Iterator[bytes], export: ExportType, size: int = PIECE_BYTES, *, is_bold: bool = False
) -> Iterator[Piece]:
    """Cut an unpacked file into pieces of about `size` bytes, the same ones every time.

    A bold cut of an array takes a seam between two objects for one between records without a proof. When it was one
    inside a record, the piece before it is not whole.

    Raises:
        Unloadable: the shape is none of the known ones, or the file is cut.
    """
    buffer = Buffer(blocks)
    buffer.drop_space()
    # The shape is told by as much as one piece may hold, however small the pieces are to be.
    buffer.fill(max(size, PIECE_BYTES))
    head = buffer.head()
    if not head:
        return iter(())
    if head.startswith(b"["):
        buffer.drop(1)
        return _array(buffer, size, is_bold=is_bold)
    if not head.startswith(b"{"):
        raise Unloadable(f"The file is neither a JSON array nor newline-delimited JSON; it starts with {_shown(head)}.")
    start = _wrapped_array(buffer, export)
    if start is None:
        return _lines(buffer, size)
    wrapper = _Wrapper(buffer.joined(0, start), export)
    buffer.drop(start + 1)
    return _array(buffer, size, wrapper, is_bold=is_bold)


@dataclass(frozen=True)
class _Wrapper:
    """An object around the array: what stands before it, and the type that no field of its own may look like."""

    before: bytes
    export: ExportType

    def check(self, rest: bytes) -> None:
        """Check the whole object by what follows the array."""
        text = self.before + b"null" + rest.rstrip(SPACE)
        around = json_scan.members(text)
        if not around.is_whole or around.end != len(text):
            raise Unloadable(
                "The file is an object around one array of records, and it is cut or something follows it."
            )
        if any(_holds_records(member.value) for member in around.members):
            raise Unloadable("The file is an object with more than its one array of records.")
        if _names(self.export) & {member.name for member in around.members}:
            raise Unloadable(_ambiguous(self.export, self.before))


def _lines(buffer: Buffer, size: int) -> Iterator[Piece]:
    wanted = size
    while True:
        if buffer.holds_the_rest(wanted):
            if buffer.size:
                yield Piece(buffer.parts(0, buffer.size), buffer.offset, is_array=False)
            return
        end = buffer.rfind(b"\n", wanted) + 1
        if end:
            yield Piece(buffer.parts(0, end), buffer.offset, is_array=False)
            buffer.drop(end)
            wanted = size
        else:
            wanted = _more(wanted)


def _array(buffer: Buffer, size: int, wrapper: _Wrapper | None = None, *, is_bold: bool = False) -> Iterator[Piece]:
    """Cut the inside of an array."""
    wanted, is_after_comma = size, False
    while True:
        if buffer.holds_the_rest(wanted):
            data = buffer.joined(0, buffer.size)
            end = _closing(data, buffer.offset, wrapper)
            if data[:end].strip(SPACE):
                yield Piece((data[:end],), buffer.offset, is_array=True)
            elif is_after_comma:
                raise Unloadable(_broken(data, buffer.offset, "a comma stands before its end"))
            return
        cut = _seam(buffer, wanted, is_bold=is_bold)
        if cut is None:
            wanted = _more(wanted)
            continue
        yield Piece(buffer.parts(0, cut), buffer.offset, is_array=True)
        buffer.drop(cut + 1)
        wanted, is_after_comma = size, True


def _seam(buffer: Buffer, size: int, *, is_bold: bool) -> int | None:
    """The position of a comma between two records, with everything before it whole records: proven, or boldly taken."""
    start = max(0, size - _SEAM_REACH)
    found = [start + match.start(1) for match in _SEAM.finditer(buffer.joined(start, size))]
    if is_bold and found:
        return found[-1]
    data = buffer.joined(0, size)
    for cut in reversed(found[-_SEAM_TRIES:]):
        if _is_whole(data[:cut]):
            return cut
    # Inner arrays, or records that the quick decoder does not take: walk from record to record.
    last: int | None = None
    try:
        for _, _, after in json_scan.values(data):
            if data[after : after + 1] == b",":
                last = after
    except json_scan.Broken:
        pass
    return last


def _is_whole(data: bytes) -> bool:
    try:
        msgspec.json.decode(b"[" + data + b"]", type=list[msgspec.Raw])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True


def _closing(data: bytes, offset: int, wrapper: _Wrapper | None) -> int:
    """Check the end of the file, and return where the array's content ends."""
    text = data.rstrip(SPACE)
    if wrapper is None and text.endswith(b"]") and _is_whole(text[:-1]):
        return len(text) - 1
    try:
        end = json_scan.after_space(data, 0)
        for _, _, after in json_scan.values(data):
            end = after
    except json_scan.Broken as error:
        raise Unloadable(_broken(data, offset, error)) from None
    if data[end : end + 1] != b"]":
        raise Unloadable(_broken(data, offset, "it has no end"))
    rest = data[end + 1 :]
    if wrapper is not None:
        wrapper.check(rest)
    elif rest.strip(SPACE):
        raise Unloadable(_broken(data, offset, "something follows it"))
    return end


def _wrapped_array(buffer: Buffer, export: ExportType) -> int | None:
    """Where the array of a wrapping object begins; None when the file is newline-delimited records.

    A record has a field of its type's by name; a wrapper has none, and one array of records. An object that may be
    either is refused.
    """
    data = buffer.head()
    first = json_scan.members(data)
    if not first.is_whole or not _NO_SPACE.search(data, first.end):
        data = buffer.joined(0, buffer.size)
        first = json_scan.members(data)
    names = _names(export)
    is_record = bool(names & {member.name for member in first.members})
    arrays = [member for member in first.members if _holds_records(member.value)]
    holds_records = any(names & _names_inside(member.value) for member in arrays)
    is_alone = not first.is_whole or not _NO_SPACE.search(data, first.end)
    if is_record and is_alone and holds_records:
        raise Unloadable(_ambiguous(export, data))
    if is_record:
        return None
    if not first.is_whole:
        # A value that goes on beyond what was read: the records of a wrapper, or one long or broken line.
        return arrays[0].start if arrays else None
    if not is_alone:
        if holds_records:
            raise Unloadable(f"The file is more than one object around records; it starts with {_shown(data)}.")
        return None
    found = arrays or [member for member in first.members if _is_empty_array(member.value)]
    if len(found) != 1:
        raise Unloadable(_ambiguous(export, data))
    return found[0].start


def _names(export: ExportType) -> set[str]:
    """The fields by which a record of the type is known as one."""
    return {export.key, *export.candidates, *export.event_time}


def _names_inside(array: bytes) -> set[str]:
    """The names of an array's first record, which may be cut."""
    return {member.name for member in json_scan.members(array[1:].lstrip(SPACE)).members}


def _holds_records(value: bytes) -> bool:
    return value.startswith(b"[") and value[1:].lstrip(SPACE).startswith(b"{")


def _is_empty_array(value: bytes) -> bool:
    return value.startswith(b"[") and not value[1:-1].strip(SPACE)


def _more(wanted: int) -> int:
    if wanted >= MAX_RECORD_BYTES:
        raise Unloadable(
            f"A record is longer than {MAX_RECORD_BYTES >> 20} MiB, or the file is not what it looks like."
        )
    return wanted * 2


def _ambiguous(export: ExportType, data: bytes) -> str:
    return (
        f"The file is one object that is neither a {export.name} record nor a wrapper around one array of records; "
        f"it starts with {_shown(data)}."
    )


def _broken(data: bytes, offset: int, problem: object) -> str:
    return (
        f"The JSON array is cut or broken somewhere after byte {offset} of the unpacked file: {problem}; "
        f"its last bytes are {_shown(data[-60:])}."
    )


def _shown(data: bytes) -> str:
    """The first bytes, for a person."""
    return repr(data[:60].decode("utf-8", "backslashreplace"))
