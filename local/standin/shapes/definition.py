"""What a shape file says, as values."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_YEAR = 366 * 86_400


class BadShape(ValueError):
    """A shape cannot be used; the text is a sentence."""


class _Part(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A part of the file."""


class Field(_Part, frozen=True, kw_only=True):
    """Where a field's value comes from, and how it is written."""

    from_: str | None = msgspec.field(default=None, name="from")
    """A field of the source, or a fact of the export (`@row`)."""
    value: Any = msgspec.UNSET
    """The same JSON value in every record."""
    text: str | None = None
    """A text with names in braces."""
    counter: Annotated[int, Meta(ge=0, le=1_000_000_000)] | None = None
    """A whole number that grows by so many a day."""
    time: str | None = None
    """A format of `times.py`, or a pattern of `strftime`."""
    time_zone: str = "UTC"
    shift_seconds: Annotated[float, Meta(ge=-_YEAR, le=_YEAR)] = 0
    type: Literal["text", "number"] | None = None

    @property
    def origins(self) -> list[str]:
        """The names of the keys that say where the value comes from."""
        given = {
            "from": self.from_ is not None,
            "value": self.value is not msgspec.UNSET,
            "text": self.text is not None,
            "counter": self.counter is not None,
        }
        return [name for name, is_given in given.items() if is_given]


class ExportShape(_Part, frozen=True, kw_only=True):
    """The shape of one export type's records."""

    container: str | None = None
    source: str | None = None
    """An export type or `MAILS`; None is the export type itself."""
    fields: Mapping[str, str | Field] = {}
    """By target, whose dots build objects; a text is short for `from`."""
    drop: tuple[str, ...] = ()
    others: Literal["keep", "drop"] = "keep"
    """What becomes of the source's fields that no target takes."""
    file: str | None = None
    """A result file that is served as it is, in place of records: its path, seen from the shape's folder."""


class Shape(_Part, frozen=True, kw_only=True):
    """A whole file; the default changes nothing."""

    container: str | None = None
    exports: Mapping[str, ExportShape] = {}

    def container_of(self, export_type: str) -> str | None:
        """The container of an export type, where the shape chooses one."""
        export = self.exports.get(export_type)
        return (export.container if export else None) or self.container

    def file_of(self, export_type: str) -> Path | None:
        """The file that is served for an export type, if there is one."""
        export = self.exports.get(export_type)
        return Path(export.file) if export and export.file else None
