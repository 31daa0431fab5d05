"""Odd records, taken apart by Python: names twice, fields without a column, strings that are no Unicode, rare numbers.

A value that fits its column stands there; any other is null there and kept with its exact text in `_rescued`. The
identity of such a record is hashed here, from the same canonical texts as `text_rows.py` makes of regular ones.
"""

import hashlib
import json
import re
from typing import Any

from lambdas.lake.column_types import Kind, Schema, is_unicode
from lambdas.lake.formats import numbers
from lambdas.lake.formats.json_records import Fields, has_value, kind_of, whole_number
from lambdas.lake.parsing.layout import Layout
from lambdas.lake.profile.profile import IdentityKind, Profile
from lambdas.lake.profile.sample import at
from lambdas.lake.rows.staging import NO_VALUE, component, identity_columns

# Far above any real record, far below the interpreter's recursion limit.
_DEEPEST_CANONICAL = 100
# Far beyond any id.
_LONGEST_WHOLE = 100
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_STRING_OR_BLANK = re.compile(rb'("(?:[^"\\]|\\.)*+")|[ \t\r\n]++')


def values(fields: Fields, layout: Layout) -> list[bytes]:
    """The values of a record's line: every text fits its column."""
    remaining = dict(fields)
    columns: dict[str, bytes] = {}
    rescued: list[bytes] = []
    # As of regular records, in the order of the columns.
    for source in [*(column.source for column in layout.schema.columns), *fields]:
        texts = remaining.pop(source, [])
        if all(text == b"null" for text in texts):
            continue
        text = _compact(_one_text(texts))
        column = layout.schema.by_source.get(source)
        fitted, is_exact = None, False
        if len(texts) == 1 and column is not None:
            fitted, is_exact = _fitted(text, column.kind)
        if fitted is not None:
            columns[source] = fitted
        if not is_exact:
            rescued.append(b"%b:%b" % (json.dumps(source).encode(), text))
    own = _own_hash(fields)
    return [
        *(columns.get(column.source, b"") for column in layout.columns),
        *(_compact(_text_at(fields, path)) for path in layout.roles),
        b",".join(rescued),
        own.encode(),
        (_identity_hash(fields, layout.schema, layout.profile, own) or "").encode(),
    ]


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


def _fitted(text: bytes, column: Kind) -> tuple[bytes | None, bool]:
    """The text of the value for a column of that kind, and whether it represents the text exactly."""
    kind = kind_of(text)
    match column:
        case Kind.STRING | Kind.MIXED | Kind.ID if kind is Kind.STRING:
            return (text, True) if is_unicode(json.loads(text)) else (None, False)
        case Kind.ID if _is_number(text):
            digits = _whole_text(text)
            return text if digits is None else digits.encode(), True
        case Kind.STRING | Kind.MIXED | Kind.ID | Kind.JSON:
            return text, True
        case Kind.BIGINT if _is_number(text):
            whole = whole_number(text)
            return (None, False) if whole is None else (str(whole).encode(), True)
        case Kind.DOUBLE if _is_number(text):
            number, is_exact = numbers.double(text)
            # A rounded fraction will do; a rounded integer is another number (usually an id).
            is_kept = number is not None and (is_exact or kind is Kind.DOUBLE)
            return repr(number).encode() if is_kept else None, is_exact
        case Kind.BOOLEAN if kind is Kind.BOOLEAN:
            return text, True
    return None, False


def _own_hash(fields: Fields) -> str:
    """The hash of all fields with a value."""
    parts = (
        f"{component(source)}{canonical(_one_text(texts))}"
        for source, texts in sorted(fields.items())
        if has_value(fields, source)
    )
    return _hash("|".join(parts))


def _identity_hash(fields: Fields, schema: Schema, profile: Profile, own: str) -> str | None:
    """The hash of the identity, where the columns of the identity do not hold it exactly."""
    if profile.kind is IdentityKind.NONE:
        return None
    texts = [at(fields, path) for path in profile.identity]
    if profile.is_key and not any(text is not None for text in texts):
        return own
    columns = identity_columns(profile, schema)
    if len(columns) == len(texts) and all(text is None or _is_whole_in_text(text) for text in texts):
        return None
    return _hash("|".join(NO_VALUE if text is None else canonical(text) for text in texts))


def _hash(text: str) -> str:
    return hashlib.md5(text.encode("utf-8", "surrogatepass"), usedforsecurity=False).hexdigest()


def _is_whole_in_text(text: bytes) -> bool:
    """Whether a column of texts has a value as its canonical text: a string, or a whole number."""
    if text.startswith(b'"'):
        return is_unicode(json.loads(text))
    return _is_number(text) and _whole_text(text) is not None


def _text_at(fields: Fields, path: str) -> bytes:
    """The text at a path; empty where there is none, or none that the engine reads."""
    text = at(fields, path)
    if text is None or (text.startswith(b'"') and not is_unicode(json.loads(text))):
        return b""
    return text


def _compact(text: bytes) -> bytes:
    """A JSON text without whitespace outside its strings."""
    return _STRING_OR_BLANK.sub(rb"\1", text)


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
