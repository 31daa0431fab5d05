"""The validated path: a strict decoder checks that every record of a piece matches the schema exactly.

That proves that the piece has nothing that the engine would lose silently (see `fast_path.py`), so the engine may then
read it as it is.
"""

from typing import Annotated, Any

import msgspec

from lambdas.lake.column_types import Kind, Schema
from lambdas.lake.formats import numbers
from lambdas.lake.formats.json_scan import SPACE
from lambdas.lake.formats.splitting import Piece

_WHOLE = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
# From here on, doubles cannot represent every integer.
_INEXACT = 2**53
_FRACTION = Annotated[float, msgspec.Meta(gt=-_INEXACT, lt=_INEXACT)]
# Nested values take the record path, which keeps their text; a field without a kind may only be null.
_TYPES: dict[Kind, Any] = {
    Kind.BIGINT: _WHOLE | None,
    Kind.DOUBLE: _FRACTION | None,
    Kind.STRING: str | None,
    Kind.ID: str | _WHOLE | None,
    Kind.MIXED: str | None,
    Kind.BOOLEAN: bool | None,
    Kind.JSON: None,
    Kind.NULL: None,
}


class ValidatedPath:
    """Checks pieces against a schema."""

    def __init__(self, schema: Schema) -> None:
        """Prepare for a schema."""
        folded = {column.source.casefold() for column in schema.columns}
        # The engine does not distinguish `Id` from `id`, and the decoder accepts no such characters in a name.
        self.is_usable = (
            len(folded) == len(schema.columns)
            and not any(mark in column.source for column in schema.columns for mark in '"\\')
            and bool(schema.stored)
        )
        self._has_doubles = any(column.kind is Kind.DOUBLE for column in schema.columns)
        if self.is_usable:
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
        """The number of records, if every one matches the schema exactly; else None."""
        if not self.is_usable or (self._has_doubles and not numbers.fit_doubles(piece.content)):
            return None
        try:
            if piece.is_array:
                return len(self._array.decode(b"[" + piece.content + b"]"))
            count = len(self._lines.decode_lines(piece.content))
            return count if _has_a_line_each(piece.content, count) else None
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return None


def _has_a_line_each(content: bytes, count: int) -> bool:
    """Whether each record has a line of its own: the decoder also accepts two on one line, or one on two.

    Nothing here is nested, so a line that begins with a brace begins with a record.
    """
    ends = content.count(b"\n") + (not content.endswith(b"\n"))
    if ends == count and content.startswith(b"{") and content.count(b"\n{") == count - 1:
        return True
    # Whitespace before records, or blank lines.
    lines = [line for line in map(_stripped, content.split(b"\n")) if line]
    return count == len(lines) and all(line[:1] == b"{" for line in lines)


def _stripped(line: bytes) -> bytes:
    return line.strip(SPACE)


def _field(number: int, source: str, schema: Schema) -> tuple[str, Any, None]:
    return f"f{number}", _TYPES[schema.by_source[source].kind], None
