"""The careful way: one record at a time, for pieces in which something is new, odd or broken.

Every value keeps its own text. What fits its column goes there, what does not is null there and whole in `_rescued`.
Slow, and right; the strict way (`strict.py`) takes the pieces in which nothing is odd.
"""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lambdas.lake.errors import Unloadable
from lambdas.lake.formats import json_scan
from lambdas.lake.formats.splitting import Piece
from lambdas.lake.parsing import numbers
from lambdas.lake.schema import RESCUED, Kind, Schema, is_unicode, join

IDENTITY = "_identity_"
"""The fields of a normalised row that hold the components of its identity, numbered from 1."""
TIME_TEXT, TIME_NUMBER = "_time_text_", "_time_number_"
"""The fields of a normalised row that hold what its event times say, whatever their columns hold, numbered from 1."""

# Far above any real record, far below what the interpreter can follow.
_DEEPEST_CANONICAL = 100
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')

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
    """The kinds of a record's fields."""
    found: dict[str, Kind] = {}
    for name, texts in fields.items():
        for text in texts:
            found[name] = join(found.get(name, Kind.NULL), kind_of(text))
    return found


def has_value(fields: Fields, name: str) -> bool:
    """Whether a record has that field with a value."""
    return any(kind_of(text) is not Kind.NULL for text in fields.get(name, ()))


def normalised(fields: Fields, schema: Schema, times: Sequence[str]) -> bytes:
    """A record as one line of JSON under the columns' names, every value of its column's kind.

    `times` are the fields that may hold the event's time.
    """
    row: dict[str, Any] = {}
    rescued: list[str] = []
    for source, texts in fields.items():
        if not has_value(fields, source):
            continue
        column = schema.by_source.get(source)
        text = _one_text(texts)
        value, is_whole_truth = None, False
        if len(texts) == 1 and column is not None:
            value, is_whole_truth = _fitted(text, kind_of(text), column.kind)
        if column is not None and value is not None:
            row[column.name] = value
        if not is_whole_truth:
            rescued.append(f"{json.dumps(source)}:{text.decode()}")
    if rescued:
        row[RESCUED] = "{" + ",".join(rescued) + "}"
    for position, source in enumerate(schema.identity, start=1):
        row[f"{IDENTITY}{position}"] = _component(fields, source)
    for position, source in enumerate(times, start=1):
        row[f"{TIME_TEXT}{position}"] = _as(Kind.STRING, fields, source)
        row[f"{TIME_NUMBER}{position}"] = _as(Kind.BIGINT, fields, source)
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
        return f"s{len(value)}:{value}" if is_unicode(value) else f"u{json.dumps(value)}"
    if kind is Kind.JSON:
        flat = text.decode() if _is_deep(text) else json.dumps(_spelled(_tree(text)), separators=(",", ":"))
        return f"j{len(flat)}:{flat}"
    return numbers.spelling(text)


class _Number(str):
    """A number inside a nested value, as its text."""


class _Object(list[tuple[str, Any]]):
    """An object inside a nested value, as its members."""


def _tree(text: bytes) -> Any:
    return json.loads(text, parse_int=_Number, parse_float=_Number, object_pairs_hook=_Object)


def _fields(text: bytes) -> Fields | None:
    if not text.startswith(b"{"):
        return None
    try:
        text.decode("utf-8")
        found = json_scan.members(text)
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
            return (value, True) if is_unicode(value) else (None, False)
        case Kind.MIXED:
            return text.decode(), False
        case Kind.BIGINT if _is_number(text):
            whole = _whole(text)
            return whole, whole is not None
        case Kind.DOUBLE if _is_number(text):
            number, is_whole_truth = numbers.double(text)
            # A fraction is near enough; a whole number with other digits is another number (an id, as a rule).
            return (number, is_whole_truth) if is_whole_truth or kind is Kind.DOUBLE else (None, False)
        case Kind.BOOLEAN if kind is Kind.BOOLEAN:
            return text == b"true", True
        case Kind.JSON if kind is Kind.JSON:
            return text.decode(), True
    return None, False


def _component(fields: Fields, source: str) -> str:
    return canonical(_one_text(fields[source])) if has_value(fields, source) else "n"


def _as(kind: Kind, fields: Fields, source: str) -> Any:
    """A field's value if it fits a column of that kind."""
    texts = fields.get(source, [])
    return _fitted(texts[0], kind_of(texts[0]), kind)[0] if len(texts) == 1 else None


def _one_text(texts: list[bytes]) -> bytes:
    """A field's text; the values of a name that is repeated make an array."""
    return texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]"


def _is_number(text: bytes) -> bool:
    return text[:1] in b"-0123456789"


def _whole(text: bytes) -> int | None:
    number = numbers.parse(text)
    return None if number is None else number.whole


def _is_deep(text: bytes) -> bool:
    """Whether a value is nested too deeply to be walked through."""
    if text.count(b"[") + text.count(b"{") <= _DEEPEST_CANONICAL:
        return False
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", text):
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST_CANONICAL


def _spelled(tree: Any) -> Any:
    """A nested value with every leaf marked by its kind, so that 5 and "5" stay apart, and names in order."""
    if isinstance(tree, _Number):
        return numbers.spelling(tree.encode())
    if isinstance(tree, str):
        return f"s{tree}"
    if isinstance(tree, _Object):
        # A stable sort: a name that is repeated keeps the order of its values.
        return {"o": [[name, _spelled(value)] for name, value in sorted(tree, key=lambda member: member[0])]}
    return [_spelled(value) for value in tree] if isinstance(tree, list) else tree
