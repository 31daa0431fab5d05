"""The record path: one record at a time, for pieces with unexpected or invalid content.

A value that fits its column is stored there; any other is null there and kept with its exact text in `_rescued`.
"""

import hashlib
import json
import re
from typing import Any

from lambdas.lake.column_types import RESCUED, Kind, Schema, is_unicode
from lambdas.lake.formats import numbers
from lambdas.lake.formats.json_records import Fields, has_value, kind_of, whole_number
from lambdas.lake.profile.profile import IdentityKind, Profile
from lambdas.lake.profile.sample import at
from lambdas.lake.rows.staging import IDENTITY_HASH, NO_VALUE, OWN_HASH, TIME_TEXT, component, identity_columns

# Far above any real record, far below the interpreter's recursion limit.
_DEEPEST_CANONICAL = 100
# Far beyond any id.
_LONGEST_WHOLE = 100
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')


def normalised(fields: Fields, schema: Schema, profile: Profile) -> bytes:
    """A record as one line of JSON under the columns' names, every value of its column's kind."""
    row: dict[str, Any] = {}
    rescued: list[str] = []
    for source, texts in fields.items():
        if not has_value(fields, source):
            continue
        column = schema.by_source.get(source)
        text = _one_text(texts)
        value, is_exact = None, False
        if len(texts) == 1 and column is not None:
            value, is_exact = _fitted(text, kind_of(text), column.kind)
        if column is not None and value is not None:
            row[column.name] = value
        if not is_exact:
            rescued.append(f"{json.dumps(source)}:{text.decode()}")
    if rescued:
        row[RESCUED] = "{" + ",".join(rescued) + "}"
    row[OWN_HASH] = _own_hash(fields)
    row[IDENTITY_HASH] = _identity_hash(fields, schema, profile, row)
    for position, path in enumerate(profile.times, start=1):
        row[f"{TIME_TEXT}{position}"] = _scalar(at(fields, path))
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode()


def canonical(text: bytes) -> str:
    """The canonical text of a JSON value: a field's component of an identity. A whole number is as its text.

    Length-prefixed where it could be confused with its neighbour. `staging.py` produces the same text in SQL for
    strings, integers, booleans and null.
    """
    kind = kind_of(text)
    if kind is Kind.NULL:
        return NO_VALUE
    if kind is Kind.BOOLEAN:
        return f"b{text.decode()}"
    if kind is Kind.STRING:
        value = json.loads(text)
        return f"s{len(value)}:{value}" if is_unicode(value) else f"u{json.dumps(value)}"
    if kind is Kind.JSON:
        flat = text.decode() if _is_deep(text) else json.dumps(_spelled(_tree(text)), separators=(",", ":"))
        return f"j{len(flat)}:{flat}"
    whole = _whole_text(text)
    return numbers.spelling(text) if whole is None else f"s{len(whole)}:{whole}"


class _Number(str):
    """A number inside a nested value, as its text."""


class _Object(list[tuple[str, Any]]):
    """An object inside a nested value, as its members."""


def _tree(text: bytes) -> Any:
    return json.loads(text, parse_int=_Number, parse_float=_Number, object_pairs_hook=_Object)


def _fitted(text: bytes, kind: Kind, column: Kind) -> tuple[Any, bool]:
    """The value for a column of that kind, and whether it represents the text exactly."""
    match column:
        case Kind.STRING | Kind.MIXED if kind is Kind.STRING:
            value = json.loads(text)
            return (value, True) if is_unicode(value) else (None, False)
        case Kind.ID if kind is Kind.STRING:
            value = json.loads(text)
            return (value, True) if is_unicode(value) else (None, False)
        case Kind.ID if _is_number(text):
            digits = _whole_text(text)
            return (text.decode(), False) if digits is None else (digits, True)
        case Kind.MIXED | Kind.ID:
            return text.decode(), False
        case Kind.BIGINT if _is_number(text):
            whole = whole_number(text)
            return whole, whole is not None
        case Kind.DOUBLE if _is_number(text):
            number, is_exact = numbers.double(text)
            # A rounded fraction will do; a rounded integer is another number (usually an id).
            return (number, is_exact) if is_exact or kind is Kind.DOUBLE else (None, False)
        case Kind.BOOLEAN if kind is Kind.BOOLEAN:
            return text == b"true", True
        case Kind.JSON if kind is Kind.JSON:
            return text.decode(), True
    return None, False


def _own_hash(fields: Fields) -> str:
    """The hash of all fields with a value."""
    parts = (
        f"{component(source)}{canonical(_one_text(texts))}"
        for source, texts in sorted(fields.items())
        if has_value(fields, source)
    )
    return _hash("|".join(parts))


def _identity_hash(fields: Fields, schema: Schema, profile: Profile, row: dict[str, Any]) -> str | None:
    """The hash of the identity, where the columns of the identity do not hold it exactly."""
    if profile.kind is IdentityKind.NONE:
        return None
    texts = [at(fields, path) for path in profile.identity]
    if profile.is_key and not any(text is not None for text in texts):
        return str(row[OWN_HASH])
    columns = identity_columns(profile, schema)
    is_exact = len(columns) == len(texts) and all(
        text is None or _fitted(text, kind_of(text), Kind.ID)[1] for text in texts
    )
    if is_exact:
        return None
    return _hash("|".join(NO_VALUE if text is None else canonical(text) for text in texts))


def _hash(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _scalar(text: bytes | None) -> str | None:
    """A value as the text that may be a time."""
    if text is None or not text.startswith(b'"'):
        return None if text is None else text.decode()
    value = str(json.loads(text))
    return value if is_unicode(value) else None


def _whole_text(text: bytes) -> str | None:
    """A whole number as its digits, however many; None for any other number."""
    number = numbers.parse(text)
    if number is None or number.power < 0 or len(number.digits) + number.power > _LONGEST_WHOLE:
        return None
    return number.sign + number.digits + "0" * number.power if number.digits else "0"


def _one_text(texts: list[bytes]) -> bytes:
    """A field's text; the values of a repeated name make an array."""
    return texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]"


def _is_number(text: bytes) -> bool:
    return text[:1] in b"-0123456789"


def _is_deep(text: bytes) -> bool:
    """Whether a value is nested too deeply for recursion."""
    if text.count(b"[") + text.count(b"{") <= _DEEPEST_CANONICAL:
        return False
    depth = deepest = 0
    for byte in _STRINGS.sub(b"", text):
        depth += (byte in b"[{") - (byte in b"]}")
        deepest = max(deepest, depth)
    return deepest > _DEEPEST_CANONICAL


def _spelled(tree: Any) -> Any:
    """A nested value with every leaf tagged by its kind, so that 5 and "5" differ, and names sorted."""
    if isinstance(tree, _Number):
        return numbers.spelling(tree.encode())
    if isinstance(tree, str):
        return f"s{tree}"
    if isinstance(tree, _Object):
        # Stable: the values of a repeated name keep their order.
        return {"o": [[name, _spelled(value)] for name, value in sorted(tree, key=lambda member: member[0])]}
    return [_spelled(value) for value in tree] if isinstance(tree, list) else tree
