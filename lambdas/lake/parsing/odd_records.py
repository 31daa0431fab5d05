"""Odd records, taken apart by Python: a name twice, a field without a column, a string that is no Unicode.

What stands in no column is kept with its exact text in `_rescued`.
"""

import json
import re

from lambdas.lake.column_types import is_unicode
from lambdas.lake.formats.json_records import Fields, has_value
from lambdas.lake.parsing.layout import Layout
from lambdas.lake.profile.sample import at

_STRING_OR_BLANK = re.compile(rb'("(?:[^"\\]|\\.)*+")|[ \t\r\n]++')


def values(fields: Fields, layout: Layout) -> list[bytes]:
    """The values of a record's line, as the layout has them."""
    columns = {
        source: _compact(texts[0]) for source, texts in fields.items() if len(texts) == 1 and _is_whole(texts[0])
    }
    rest = [
        b"%b:%b" % (json.dumps(source).encode(), _compact(_one_text(texts)))
        for source, texts in sorted(fields.items())
        if has_value(fields, source) and (source not in columns or source not in layout.schema.by_source)
    ]
    repeated = {source for source, texts in fields.items() if len(texts) > 1 and has_value(fields, source)}
    held_by = {path: path if path in fields else path.partition(".")[0] for path in layout.profile.identity}
    identity = [
        _one_text(fields[source]) if source in repeated else at(fields, path) or b"" for path, source in held_by.items()
    ]
    is_in_columns = all(map(_is_whole, identity)) and repeated.isdisjoint(held_by.values())
    return [
        *(columns.get(column.source, b"") for column in layout.schema.columns),
        *(_compact(text) if _is_whole(text) else b"" for path in layout.roles for text in [at(fields, path) or b""]),
        b",".join(rest),
        b"" if is_in_columns else b"|".join(map(_compact, identity)),
    ]


def _is_whole(text: bytes) -> bool:
    """Whether a text is whole for the engine: no string with half a character."""
    return not text.startswith(b'"') or is_unicode(json.loads(text))


def _one_text(texts: list[bytes]) -> bytes:
    """A field's text; the values of a repeated name make an array."""
    return texts[0] if len(texts) == 1 else b"[" + b",".join(texts) + b"]"


def _compact(text: bytes) -> bytes:
    """A JSON text without whitespace outside its strings."""
    return _STRING_OR_BLANK.sub(rb"\1", text)
