"""The fields of a sample: every name and path with the kinds of its values and the usual mask."""

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from lambdas.lake.column_types import Kind, is_unicode
from lambdas.lake.formats.json_records import Fields, kind_of
from local.profiling.masking import mask

_DEEPEST = 4
MOST_FIELDS = 300
"""Objects with names of their own in every record would make more, and nobody reads them."""


@dataclass
class Seen:
    """What a sample has at a path."""

    records: int = 0
    kinds: dict[Kind, None] = field(default_factory=dict)
    masks: Counter[str] = field(default_factory=Counter)

    @property
    def shape(self) -> str:
        """The mask of most values; empty without a value."""
        return self.masks.most_common(1)[0][0] if self.masks else ""


def seen(records: Iterable[Fields]) -> dict[str, Seen]:
    """What a sample has, by field or path, in the order of the first record that has it."""
    found: dict[str, Seen] = {}
    for record in records:
        for name, texts in record.items():
            for text in texts if is_unicode(name) else ():
                try:
                    _add(name, json.loads(text, parse_float=_Fraction), found, _DEEPEST)
                except RecursionError:
                    found.setdefault(name, Seen()).kinds[Kind.JSON] = None
    return found


class _Fraction(str):
    """A number with a fraction or an exponent, as its text."""


def _add(path: str, value: Any, found: dict[str, Seen], levels: int) -> None:
    if path not in found and len(found) >= MOST_FIELDS:
        return
    here = found.setdefault(path, Seen())
    here.records += 1
    if value is None:
        here.kinds[Kind.NULL] = None
        return
    text = value if isinstance(value, str) else json.dumps(value)
    is_text = isinstance(value, str) and not isinstance(value, _Fraction)
    here.kinds[Kind.STRING if is_text else Kind.DOUBLE if isinstance(value, _Fraction) else kind_of(text.encode())] = (
        None
    )
    if not isinstance(value, dict):
        here.masks[mask(text)] += 1
    elif levels:
        for name, inner in value.items():
            if is_unicode(name):
                _add(f"{path}.{name}", inner, found, levels - 1)
