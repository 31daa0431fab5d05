"""Schemas: the columns of a table, their kinds, and how new fields extend them.

A column's kind is inferred from all values of the first export that has the field with a value, and never changes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum


class Kind(StrEnum):
    """The kind of a field's values; `ATHENA_TYPES` maps it to a column type."""

    NULL = "null"
    """No value yet: not a column."""
    BIGINT = "bigint"
    """Whole numbers that fit 64 bits."""
    DOUBLE = "double"
    STRING = "string"
    """Strings as they are, and whatever else came as its JSON text."""
    BOOLEAN = "boolean"
    JSON = "json"
    """Objects and arrays, as JSON text."""
    ID = "id"
    """In the role of an id: as STRING, with whole numbers in one spelling, so that `7.0` is `7` and `"7"`."""
    MIXED = "mixed"
    """Whole numbers beyond 64 bits, as text."""


ATHENA_TYPES: Mapping[Kind, str] = {
    Kind.BIGINT: "bigint",
    Kind.DOUBLE: "double",
    Kind.STRING: "string",
    Kind.BOOLEAN: "boolean",
    Kind.JSON: "string",
    Kind.ID: "string",
    Kind.MIXED: "string",
}

BATCH_ID, ORDERED_AT, EVENT_AT, ROW_ID, RESCUED = "_batch_id", "_ordered_at", "_event_at", "_row_id", "_rescued"
DAY = "dt"

# Far below Glue's limit: more fields than this are ids used as names, which make no useful table.
MAX_COLUMNS = 1000

_NAME_LENGTH = 120
_SOURCE_LENGTH = 255


def join(one: Kind, other: Kind) -> Kind:
    """The narrowest kind that represents the values of both."""
    if one is other or other is Kind.NULL:
        return one
    if one is Kind.NULL:
        return other
    if {one, other} == {Kind.BIGINT, Kind.DOUBLE}:
        return Kind.DOUBLE
    return Kind.STRING


@dataclass(frozen=True)
class Column:
    """A field of the source and its column."""

    source: str
    name: str
    kind: Kind


@dataclass(frozen=True)
class Schema:
    """The columns of a table that come from the source, in their order.

    `frozen` columns are in the catalog; the others are added by this export.
    """

    columns: tuple[Column, ...] = ()
    frozen: frozenset[str] = frozenset()
    by_source: Mapping[str, Column] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "by_source", {column.source: column for column in self.columns})

    @property
    def stored(self) -> tuple[Column, ...]:
        """The columns of the table: those with a value somewhere."""
        return tuple(column for column in self.columns if column.kind is not Kind.NULL)

    def foresees(self, kinds: Mapping[str, Kind]) -> bool:
        """Whether fields of these kinds certainly change nothing: a fast check before `widened`."""
        columns = self.by_source
        return all(
            source in columns
            and (columns[source].kind is Kind.ID or join(columns[source].kind, kind) is columns[source].kind)
            for source, kind in kinds.items()
        )

    def widened(self, kinds: Mapping[str, Kind], is_id: Callable[[str], bool]) -> "Schema":
        """Return the schema extended by fields of these kinds; frozen columns stay as they are.

        `is_id` tells the fields in the role of an id.
        """
        columns = dict(self.by_source)
        taken = {column.name for column in self.columns}
        for source, kind in kinds.items():
            known = columns.get(source)
            # An object is no id, whatever its name; its fields may be.
            decided = Kind.ID if kind not in (Kind.NULL, Kind.JSON) and is_id(source) else kind
            if known is None:
                outer = columns.get(source.partition(".")[0])
                # A path into an object may be an identity: a column of that name would take its place.
                is_path = outer is not None and outer.kind is Kind.JSON
                if len(columns) >= MAX_COLUMNS or not _can_be_column(source) or is_path:
                    continue
                name = _free_name(source, taken)
                taken.add(name)
                columns[source] = Column(source, name, decided)
            elif source not in self.frozen:
                kept = known.kind if known.kind is Kind.ID else join(known.kind, decided)
                columns[source] = replace(known, kind=Kind.ID if decided is Kind.ID else kept)
        return replace(self, columns=tuple(columns.values()))


def snake_case(source: str) -> str:
    """A column name for a field: lower case, words joined by `_`, ASCII letters and digits only."""
    words = re.sub(r"([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])", r"\1\3_\2\4", source)
    name = re.sub(r"[^a-z0-9]+", "_", words.lower()).strip("_")[:_NAME_LENGTH]
    if not name or name[0].isdigit():
        name = f"field_{name}".rstrip("_")
    return name


def _free_name(source: str, taken: set[str]) -> str:
    """A unique column name; `dt` and names in use get a number."""
    name = snake_case(source)
    if name != DAY and name not in taken:
        return name
    number = 2
    while f"{name}_{number}" in taken:
        number += 1
    return f"{name}_{number}"


def is_unicode(text: str) -> bool:
    """Whether a string is valid Unicode: without lone surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _can_be_column(source: str) -> bool:
    # A name that JSON escapes is none that the decoder can be asked for.
    is_plain = source.isprintable() and not any(mark in source for mark in '"\\')
    return is_unicode(source) and 0 < len(source) <= _SOURCE_LENGTH and is_plain
