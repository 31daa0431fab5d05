"""Property tests of the lake: the number of examples, and strategies for JSON."""

import json
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

CAMPAIGN = int(os.environ.get("LAKE_CAMPAIGN") or 1)
"""Multiplies the number of examples; when set, the examples are random."""

Property = Callable[..., Any]


def examples(number: int) -> Callable[[Property], Property]:
    """Run a property test with that many examples, times the campaign."""
    return settings(max_examples=number * CAMPAIGN)


texts = st.text(st.characters(codec="utf-8"), max_size=8) | st.sampled_from(
    [
        "",
        "},{",
        '},{"a":1',
        '"',
        "\\",
        "\n",
        "\r\n",
        "\x00",
        "\u2028",
        "]",
        "[",
        "é😀",
        "null",
        "123",
        "2024-03-01",
        "\x7f",
    ]
)
whole = st.integers(-5, 5) | st.integers(-(2**63), 2**63 - 1)
fractions = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | whole | fractions | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
"""Any JSON value."""

names = st.sampled_from(
    ["eventId", "contactId", "timestamp", "a", "A", "aB", "a_b", "dt", "rowid", "x y", "é", "'", '"']
)
records = st.dictionaries(names | texts, values, max_size=5)
"""Any JSON object."""


class Raw(str):
    """JSON text that is inserted into a record verbatim."""


numerals = st.from_regex(r"-?(0|[1-9][0-9]{0,19})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,3})?", fullmatch=True).map(Raw)
"""Any JSON number, in any notation."""


def encoded(fields: Iterable[tuple[str, Any]]) -> bytes:
    """A JSON object of these fields in this order; names may repeat, and `Raw` values are verbatim."""
    inner = ",".join(
        f"{json.dumps(name)}:{value if isinstance(value, Raw) else json.dumps(value)}" for name, value in fields
    )
    return ("{" + inner + "}").encode()


def line(record: Mapping[str, Any]) -> bytes:
    """A record as one line of JSON."""
    return json.dumps(record).encode()
