"""Records with their original text: each field with the text of every value it has."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lambdas.lake.column_types import Kind, join
from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_scan
from lambdas.lake.formats.splitting import Piece

Fields = Mapping[str, list[bytes]]
"""A record: the texts of each field's values, more than one where a name is repeated."""

_INT64 = range(-(2**63), 2**63)
_LONGEST_WHOLE = 20

MAX_FIELDS = 2000
"""Of a record, and of an identity: twice the columns that a table may have; 4,000 exhaust the memory."""


@dataclass(frozen=True)
class Rejected:
    """Something in a record's place that is not a JSON object."""

    position: int
    """Bytes from the start of the decompressed file."""
    text: str
    bytes: int


def read(piece: Piece) -> Iterator[Fields | Rejected]:
    """Read the records of a piece.

    Raises:
        Unloadable: invalid JSON inside an array, where resynchronising would be guessing, or too many fields.
    """
    for position, text in piece.records():
        yield record(piece, position, text)


def record(piece: Piece, position: int, text: bytes) -> Fields | Rejected:
    """Read what stands in a record's place in a piece.

    Raises:
        Unloadable: as `read`.
    """
    fields = _fields(text, position)
    if fields is not None:
        return fields
    if (piece.is_array or piece.is_spread) and not _is_value(text):
        raise Unloadable(f"The record at byte {position} of the unpacked file is no valid JSON.")
    return Rejected(position, text.decode("utf-8", "backslashreplace"), len(text))


def kind_of(text: bytes) -> Kind:
    """The kind of a JSON text. A whole number beyond 64 bits has no kind of its own, so it is MIXED."""
    match text[:1]:
        case b'"':
            return Kind.STRING
        case b"{" | b"[":
            return Kind.JSON
        case b"t" | b"f":
            return Kind.BOOLEAN
        case b"n":
            return Kind.NULL
    if any(mark in text for mark in b".eE"):
        return Kind.DOUBLE
    return Kind.BIGINT if len(text) <= _LONGEST_WHOLE and int(text) in _INT64 else Kind.MIXED


def kinds(fields: Fields) -> dict[str, Kind]:
    """The kinds of a record's fields."""
    found: dict[str, Kind] = {}
    for name, texts in fields.items():
        for text in texts:
            found[name] = join(found.get(name, Kind.NULL), kind_of(text))
    return found


def has_value(fields: Fields, name: str) -> bool:
    """Whether a record has that field with a value."""
    return any(kind_of(text) is not Kind.NULL for text in fields.get(name, ()))


def _fields(text: bytes, position: int) -> Fields | None:
    if not text.startswith(b"{"):
        return None
    try:
        text.decode("utf-8")
        found = json_scan.members(text)
    except UnicodeDecodeError:
        return None
    if not found.is_whole or found.end != len(text):
        return None
    if len(found.members) > MAX_FIELDS:
        raise Unloadable(
            f"The record at byte {position} of the unpacked file has {len(found.members):,} fields, and more than "
            f"{MAX_FIELDS:,} are values used as names, which make no table. Look there in raw/, and ask Symplify."
        )
    fields: dict[str, list[bytes]] = {}
    for member in found.members:
        fields.setdefault(member.name, []).append(member.value)
    return fields


def _is_value(text: bytes) -> bool:
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return not text.startswith(b"{")
