"""The careful way: one record at a time, for pieces in which something is new, odd or broken.

Every value keeps its own text. What fits its column goes there, what does not is null there and whole in `_rescued`.
Slow, and right; the strict way (`strict.py`) takes the pieces in which nothing is odd.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from lambdas.lake import jsontext
from lambdas.lake.containers import Piece
from lambdas.lake.errors import Unloadable
from lambdas.lake.schema import RESCUED, Kind, Schema, join

IDENTITY = "_identity"
"""The field of a normalised row that holds the components of its identity."""

_INT64 = range(-(2**63), 2**63)
# Above this, a double cannot tell neighbouring whole numbers apart.
EXACT_DOUBLE = 2**53
_NAME_LENGTH = 255

Fields = Mapping[str, list[bytes]]
"""A record: the texts of each field's values, more than one where a name is repeated."""


@dataclass(frozen=True)
class Rejected:
    """What stands where a record should be and is no JSON object."""

    position: int
    """Bytes from the start of the unpacked file."""
    text: str


def read(piece: Piece) -> Iterator[Fields | Rejected]:
    """Read the records of a piece.

    Raises:
        Unloadable: the inside of an array is no JSON; finding the next record there would be guessing.
    """
    for position, text in piece.records():
        fields = _fields(text)
        if fields is not None:
            yield fields
        elif piece.is_array and not _is_value(text):
            raise Unloadable(f"The record at byte {position} of the unpacked file is no valid JSON, inside an array.")
        else:
            yield Rejected(position, text.decode("utf-8", "backslashreplace"))


def kind_of(text: bytes) -> Kind:
    """What kind of value a JSON text is. A whole number beyond 64 bits is of no kind of its own, so it is MIXED."""
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
    return Kind.BIGINT if _whole(text) is not None else Kind.MIXED


def kinds(fields: Fields) -> dict[str, Kind]:
    """The kinds of a record's fields; names that cannot be columns are left out."""
    found: dict[str, Kind] = {}
    for name, texts in fields.items():
        if not _is_column_name(name):
            continue
        for text in texts:
            found[name] = join(found.get(name, Kind.NULL), kind_of(text))
    return found


def has_value(fields: Fields, name: str) -> bool:
    """Whether a record has that field with a value."""
    return any(kind_of(text) is not Kind.NULL for text in fields.get(name, ()))


def normalised(fields: Fields, schema: Schema) -> bytes:
    """A record as one line of JSON under the columns' names, every value of its column's kind."""
    row: dict[str, Any] = {}
    rescued: list[str] = []
    for source, texts in fields.items():
        column = schema.by_source.get(source)
        text = texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]"
        kind = kind_of(text)
        if kind is Kind.NULL:
            continue
        if len(texts) > 1 or column is None:
            value, is_whole_truth = None, False
        else:
            value, is_whole_truth = _fitted(text, kind, column.kind)
        if column is not None and value is not None:
            row[column.name] = value
        if not is_whole_truth:
            rescued.append(f"{json.dumps(source)}:{text.decode()}")
    if rescued:
        row[RESCUED] = "{" + ",".join(rescued) + "}"
    row[IDENTITY] = [_component(fields.get(source)) for source in schema.identity]
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def canonical(text: bytes) -> str:
    """One text for all spellings of a JSON value: the part that a field has in an identity.

    Length-prefixed where it could run into its neighbour. `staging.py` writes the same text in SQL for strings, whole
    numbers, booleans and null.
    """
    kind = kind_of(text)
    if kind is Kind.NULL:
        return "n"
    if kind is Kind.BOOLEAN:
        return f"b{text.decode()}"
    if kind is Kind.STRING:
        value = json.loads(text)
        return f"s{len(value)}:{value}" if _is_unicode(value) else f"u{json.dumps(value)}"
    if kind is Kind.JSON:
        tree = json.loads(text, parse_int=_Number, parse_float=_Number)
        flat = json.dumps(_spelled(tree), sort_keys=True, separators=(",", ":"))
        return f"j{len(flat)}:{flat}"
    whole = _whole(text)
    return f"i{whole}" if whole is not None else f"d{_decimal(text)}"


class _Number(str):
    """A number inside a nested value, as its text."""


def _fields(text: bytes) -> Fields | None:
    if not text.startswith(b"{"):
        return None
    try:
        text.decode("utf-8")
        found = jsontext.members(text)
    except UnicodeDecodeError:
        return None
    if not found.is_whole or found.end != len(text):
        return None
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


def _fitted(text: bytes, kind: Kind, column: Kind) -> tuple[Any, bool]:
    """The value for a column of that kind, and whether it says all that the text says."""
    match column:
        case Kind.STRING | Kind.MIXED if kind is Kind.STRING:
            value = json.loads(text)
            return (value, True) if _is_unicode(value) else (None, False)
        case Kind.MIXED:
            return text.decode(), False
        case Kind.BIGINT if kind in (Kind.BIGINT, Kind.DOUBLE):
            whole = _whole(text)
            return whole, whole is not None
        case Kind.DOUBLE if kind is Kind.DOUBLE:
            number = float(text)
            return (number, True) if math.isfinite(number) else (None, False)
        case Kind.DOUBLE if kind is Kind.BIGINT:
            number = float(text)
            return (number, True) if abs(number) <= EXACT_DOUBLE else (None, False)
        case Kind.BOOLEAN if kind is Kind.BOOLEAN:
            return text == b"true", True
        case Kind.JSON if kind is Kind.JSON:
            return text.decode(), True
    return None, False


def _component(texts: list[bytes] | None) -> str:
    if texts is None:
        return "n"
    return canonical(texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]")


def _whole(text: bytes) -> int | None:
    """The number as a 64-bit whole one, if it is one (`5.0` is)."""
    if len(text) > 40:  # no need to look at digits that cannot fit
        return None
    try:
        number = Decimal(text.decode())
    except InvalidOperation:
        return None
    if number.adjusted() > 20:  # 1e999999999 is short to write and long to count
        return None
    whole = int(number)
    return whole if whole == number and whole in _INT64 else None


def _decimal(text: bytes) -> str:
    try:
        return str(Decimal(text.decode()).normalize())
    except InvalidOperation:  # an exponent beyond what Decimal counts
        return text.decode()


def _spelled(tree: Any) -> Any:
    """A nested value with every leaf marked by its kind, so that 5 and "5" stay apart."""
    if isinstance(tree, _Number):
        return canonical(tree.encode())
    if isinstance(tree, str):
        return f"s{tree}"
    if isinstance(tree, dict):
        return {name: _spelled(value) for name, value in tree.items()}
    return [_spelled(value) for value in tree] if isinstance(tree, list) else tree


def _is_unicode(text: str) -> bool:
    """Whether a string is text: lone halves of surrogate pairs are none."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_column_name(name: str) -> bool:
    return _is_unicode(name) and 0 < len(name) <= _NAME_LENGTH and name.isprintable()
