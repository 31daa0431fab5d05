"""The strict way: a whole piece at once, taken only if every record is exactly what the schema says.

Engines read JSON fast and lose silently: a new field, 0.5 in a whole number, "123" cast, `null` as a record. This check
proves that a piece holds none of these; the engine may then read it as it is.
"""

from typing import Annotated, Any

import msgspec

from lambdas.lake.careful import EXACT_DOUBLE
from lambdas.lake.containers import Piece
from lambdas.lake.schema import Kind, Schema

_WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
_FRACTION = Annotated[float, msgspec.Meta(ge=-EXACT_DOUBLE, le=EXACT_DOUBLE)]
# Nested values are taken by the careful way, which keeps their text; a field without a kind may only be null.
_TYPES: dict[Kind, Any] = {
    Kind.BIGINT: _WHOLE | None,
    Kind.DOUBLE: _FRACTION | None,
    Kind.STRING: str | None,
    Kind.MIXED: str | None,
    Kind.BOOLEAN: bool | None,
    Kind.JSON: None,
    Kind.NULL: None,
}
_COMPARABLE = (Kind.STRING, Kind.BIGINT, Kind.BOOLEAN)


class StrictReader:
    """Checks pieces against a schema."""

    def __init__(self, schema: Schema) -> None:
        folded = {column.source.casefold() for column in schema.columns}
        identity = [schema.by_source.get(source) for source in schema.identity]
        # The engine does not tell `Id` from `id`, and only these kinds have one spelling a value.
        self._usable = (
            len(folded) == len(schema.columns)
            and bool(schema.columns)
            and all(column is not None and column.kind in _COMPARABLE for column in identity)
        )
        if self._usable:
            fields = [_field(number, column.source, schema) for number, column in enumerate(schema.columns)]
            row = msgspec.defstruct(
                "Row",
                sorted(fields, key=len),
                rename={f"f{number}": column.source for number, column in enumerate(schema.columns)},
                forbid_unknown_fields=True,
                gc=False,
            )
            self._array = msgspec.json.Decoder(list[row])  # type: ignore[valid-type]
            self._lines = msgspec.json.Decoder(row)

    def count(self, piece: Piece) -> int | None:
        """How many records the piece has, if every one is exactly what the schema says; else None."""
        if not self._usable:
            return None
        try:
            if piece.is_array:
                return len(self._array.decode(b"[" + piece.content + b"]"))
            return len(self._lines.decode_lines(piece.content))
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


def _field(number: int, source: str, schema: Schema) -> tuple[str, Any] | tuple[str, Any, Any]:
    kind = schema.by_source[source].kind
    if schema.identity_is_key and not schema.identity_frozen and source in schema.identity:
        # The key of a new table is one only if every record has it.
        return f"f{number}", _TYPES[kind].__args__[0]
    return f"f{number}", _TYPES[kind], None
