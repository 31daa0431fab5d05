"""The kinds of all fields of a whole file, for a schema that its first records did not foresee."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import msgspec

from lambdas.lake.column_types import Kind, Schema
from lambdas.lake.formats import json_records
from lambdas.lake.formats.splitting import Piece
from lambdas.lake.parsing.texts import decoder, located, records
from lambdas.lake.profile.field_statistics import FieldStatistics

_WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# From here on, a whole number may be one beyond 64 bits.
_MOST = 2**53
_FRACTION = Annotated[float, msgspec.Meta(gt=-_MOST, lt=_MOST)]
# Of the values that change nothing about a column.
_TYPES: dict[Kind, Any] = {
    Kind.NULL: None,
    Kind.BIGINT: _WHOLE | None,
    Kind.DOUBLE: _FRACTION | None,
    Kind.BOOLEAN: bool | None,
    Kind.JSON: dict[str, msgspec.Raw] | list[msgspec.Raw] | None,
    Kind.STRING: msgspec.Raw,
    Kind.ID: msgspec.Raw,
    Kind.MIXED: None,
}


def survey(pieces: Iterable[Piece], known: Schema, is_id: Callable[[str], bool]) -> Schema:
    """The schema that fits all records, widened from the table's; `is_id` tells the ids.

    Raises:
        Unloadable: the file is broken.
    """
    statistics = FieldStatistics()
    schema = known
    accepts = _acceptor(schema)
    for piece in pieces:
        for where, texts in located(piece):
            for position, text in zip(where, texts, strict=True):
                if accepts(text):
                    continue
                statistics.add_all(json_records.record(piece, *one) for one in records(piece, position, text))
                widened = statistics.schema(known, is_id)
                if widened != schema:
                    schema = widened
                    accepts = _acceptor(schema)
    return schema


def _acceptor(schema: Schema) -> Callable[[bytes], bool]:
    """A function that refuses every record which may widen a schema."""
    types = [msgspec.Raw if column.source in schema.frozen else _TYPES[column.kind] for column in schema.columns]
    decode = decoder(schema, types, None)

    def accepts(text: bytes) -> bool:
        try:
            decode(text)
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return False
        return True

    return accepts
