"""The texts of records: the exact text of every value, a line for each record, which the engine then types.

A decoder in C gives the text of each field, and refuses what is no JSON and fields that the schema lacks. The lengths
of these texts, of the fields' names and of their marks add up to the length of the record, or it has something that was
not read: a name twice, or whitespace. A record that does not add up without its whitespace is odd: Python takes it
apart (`odd_records.py`).

No JSON text has control characters, so one delimits the values of a line, and the engine reads lines as CSV.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import compress, repeat
from pathlib import Path
from typing import Any

import msgspec

from lambdas.lake.column_types import Schema
from lambdas.lake.formats import json_lines, json_records
from lambdas.lake.formats.json_records import Fields, Rejected
from lambdas.lake.formats.splitting import Piece, WrongSplit
from lambdas.lake.parsing import odd_records
from lambdas.lake.parsing.layout import Layout
from lambdas.lake.profile.sample import inside
from lambdas.lake.sql import text as quoted

_SEPARATOR = b"\x1f"
_ABSENT = msgspec.Raw(b"")
# Quotes, colon and comma of a field; the braces of a record, less the comma that its last field lacks.
_MARKS, _BRACES = len('"":,'), len("{}") - len(",")
# Of a regular record, which adds nothing.
_END = _SEPARATOR * 2 + b"\n"
# At a time, so that they fit into the processor's cache.
_LINES_BYTES, _ELEMENTS = 1 << 14, 32
_LEAST_LINE_BYTES = 1 << 20

_values = msgspec.structs.astuple
_compact: Callable[[bytes], Any] = partial(msgspec.json.format, indent=-1)


@dataclass
class Lines:
    """A file of lines, as far as it is written, and what in the pieces is no record."""

    file: Path
    layout: Layout
    records: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    longest: int = 0
    """Bytes of a record, or of an odd one's line."""

    @property
    def source(self) -> str:
        """SQL for the lines; a field that is null is like one that is not there."""
        types = ", ".join(f"{quoted(name)}: 'VARCHAR'" for name in self.layout.names)
        return (
            f"read_csv({quoted(str(self.file))}, delim='\x1f', quote='', escape='', comment='', header=false, "
            rf"auto_detect=false, new_line='\n', nullstr=['', 'null'], columns={{{types}}}, "
            f"max_line_size={self.longest * (1 + len(self.layout.roles)) + _LEAST_LINE_BYTES})"
        )


class Texts:
    """Reads pieces under a layout."""

    def __init__(self, layout: Layout, check: Callable[[Fields], None], *, is_optimistic: bool = False) -> None:
        """Prepare; `check` is called with each odd record."""
        self._layout = layout
        self._is_optimistic = is_optimistic
        self._check = check
        sources = [column.source for column in layout.schema.columns]
        self._costs = [len(source.encode()) + _MARKS for source in sources]
        self._separators = len(sources) - 1
        self._decode = decoder(layout.schema, [msgspec.Raw] * len(sources), _ABSENT)
        parted = [path.partition(".") for path in layout.roles]
        self._paths = [(sources.index(field) if field in sources else None, rest) for field, _, rest in parted]
        self._compacts = False

    def write(self, pieces: Iterable[Piece], file: Path) -> Lines:
        """Write a line for each record.

        Raises:
            WrongSplit: an optimistic split was inside a record.
            Unloadable: invalid JSON inside an array, where resynchronising would be guessing, or too many fields.
        """
        lines = Lines(file, self._layout)
        with file.open("wb") as out:
            for piece in pieces:
                out.writelines(self._lines(piece, lines))
        return lines

    def _lines(self, piece: Piece, lines: Lines) -> Iterator[bytes]:
        """Yield the lines of a piece: many at once where all of these records are regular."""
        # Read as far as it is needed.
        again = enumerate(located(piece))
        for number, texts in enumerate(candidates(piece, is_optimistic=self._is_optimistic)):
            lines.longest = max([lines.longest, *map(len, texts)])
            found = self._regular(texts)
            if found is not None:
                lines.records += len(texts)
                yield found
                continue
            (where, _) = next(one for at, one in again if at == number)
            for position, text in zip(where, texts, strict=True):
                for start, record in records(piece, position, text):
                    line = self._regular([record]) or self._odd(piece, start, record, lines)
                    lines.records += bool(line)
                    yield line

    def _regular(self, texts: Sequence[bytes]) -> bytes | None:
        """The lines of records; None when one of them is odd."""
        if not self._costs:
            return None
        # Another thread may find that out meanwhile.
        compacts = self._compacts
        try:
            compact: Sequence[bytes] = [*map(_compact, texts)] if compacts else texts
            values = [*map(_values, map(self._decode, compact))]
            lines = _END.join(map(_SEPARATOR.join, values)) + _END
            _ = lines.isascii() or lines.decode()
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None
        names = sum(map(sum, map(compress, repeat(self._costs), values)))
        around = self._separators + len(_END) - _BRACES
        adds_up = len(lines) + names - len(texts) * around == sum(map(len, compact))
        if not compacts and (not adds_up or b"{" in lines or b"[" in lines):
            # Maybe for its whitespace, which other records have as well; nested values lose theirs too.
            self._compacts = True
            return self._regular(texts)
        if adds_up and self._paths:
            lines = _END.join(map(self._with_roles, values)) + _END
        return lines if adds_up else None

    def _with_roles(self, values: tuple[bytes, ...]) -> bytes:
        roles = [b"" if field is None else inside(bytes(values[field]), rest) for field, rest in self._paths]
        return _SEPARATOR.join([*values, *roles])

    def _odd(self, piece: Piece, position: int, record: bytes, lines: Lines) -> bytes:
        """The line of a record; empty for what is none."""
        found = json_records.record(piece, position, record)
        if isinstance(found, Rejected):
            lines.rejected.append(found)
            return b""
        self._check(found)
        line = _SEPARATOR.join(odd_records.values(found, self._layout)) + b"\n"
        lines.longest = max(lines.longest, len(line))
        return line


def decoder(schema: Schema, types: Sequence[Any], absent: Any) -> Callable[[bytes], Any]:
    """A function that decodes a record whose fields are those of a schema, and refuses any other."""
    record = msgspec.defstruct(
        "Record",
        [(f"f{number}", kind, absent) for number, kind in enumerate(types)],
        rename={f"f{number}": column.source for number, column in enumerate(schema.columns)},
        forbid_unknown_fields=True,
        gc=False,
    )
    return msgspec.json.Decoder(record).decode


def candidates(piece: Piece, *, is_optimistic: bool = False) -> Iterator[Sequence[bytes]]:
    """Yield some at a time what may be records: elements of an array, lines, or values over several lines.

    Raises:
        WrongSplit: an optimistic split was inside a record.
        Unloadable: the inside of an array, or of records over several lines, is broken.
    """
    if not (piece.is_array or piece.is_spread):
        yield from _some_lines(piece.content)
        return
    elements: Sequence[bytes] | None = piece.elements() if piece.is_array else None
    if elements is None and piece.is_array and is_optimistic:
        raise WrongSplit
    found = [text for _, text in piece.records()] if elements is None else elements
    for start in range(0, len(found), _ELEMENTS):
        yield found[start : start + _ELEMENTS]


def _some_lines(content: bytes) -> Iterator[list[bytes]]:
    start = 0
    while start < len(content):
        end = content.find(b"\n", start + _LINES_BYTES)
        end = len(content) if end < 0 else end
        lines = content[start:end].removesuffix(b"\n").split(b"\n")
        yield [line.removesuffix(b"\r") for line in lines] if lines[0].endswith(b"\r") else lines
        start = end + 1


def located(piece: Piece) -> Iterator[tuple[list[int], Sequence[bytes]]]:
    """Yield candidates with where in the file each of them stands: after the one before, whitespace and a comma."""
    position = 0
    for texts in candidates(piece):
        where = []
        for text in texts:
            position = piece.content.find(text, position)
            where.append(piece.offset + position)
            position += len(text)
        yield where, texts


def records(piece: Piece, position: int, text: bytes) -> Iterable[tuple[int, bytes]]:
    """The records of a candidate: a line may be blank, or have several."""
    return [(position, bytes(text))] if piece.is_array or piece.is_spread else json_lines.on_line(text, position)
