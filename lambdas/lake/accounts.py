"""The quick way: the engine reads a chunk of pieces as they are, and every byte of them must be accounted for.

Engines read JSON fast and lose silently: a new field, 0.5 in a whole number, "123" cast, `null` as a record. Two things
together prove that nothing of the kind happened.

- No value is of another kind than its column's. Most are read as JSON text, whose kind shows. A text field is read as
  what its string says (`texts`), which is faster, where no value of it could be anything but a string.
- The lengths of all names, values and marks that the engine has read add up to the length of the text. The engine only
  shortens what it reads (blanks, escapes, what it ignores) and never lengthens it: numbers that it spells longer (1e5)
  are odd in every column that this way reads. So no difference cancels out another, and none means that all was read.
  What escapes save is counted apart, and may be all that is missing where only texts can have them.

A chunk that does not add up is no mistake; other ways take its pieces (`strict.py`, `careful.py`).
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence

import duckdb

from lambdas.lake.containers import PieceFile
from lambdas.lake.engine import files, name, text
from lambdas.lake.schema import Column, Kind, Schema

LENGTH = "_length"
"""How many bytes a record has with all that the engine read of it; null when a value is of another kind."""

_TEXTS = (Kind.STRING, Kind.MIXED)
_KINDS = (Kind.BIGINT, Kind.STRING, Kind.MIXED, Kind.BOOLEAN, Kind.JSON)
# Quotes, colon and comma of a field; its value's own quotes where the engine has taken them away.
_MARKS, _QUOTES = len('"":,'), len('""')
# The braces of a record, without the comma that its last field has not.
_BRACES = len("{}") - len(",")
_NULL = len("null")
# What the engine makes of a value that is no string; it takes for numbers also what JSON does not know.
_NO_STRING = r"^(?:[\[{]|-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|(?i:nan|inf|infinity))\z|(?:true|false|null)\z)"
# In Python, the end of a text is spelled otherwise.
_NO_STRING_BYTES = re.compile(_NO_STRING.replace(r"\z", r"\Z").encode())
_UNICODE_ESCAPE = re.compile(rb"\\u([0-9A-Fa-f]{3})")
# Longer records take another way; the engine keeps twice that for each of its threads.
_RECORD_BYTES = 4 << 20
_LONGEST_NUMBER = 19


class Accountant:
    """Reads chunks under a schema, and tells whether they add up."""

    def __init__(self, schema: Schema, texts: Iterable[str]) -> None:
        """Prepare for a schema whose names the engine can tell apart; `texts` are fields as `is_text` says."""
        self._schema = schema
        self._texts = {
            source for source in texts if source in schema.by_source and schema.by_source[source].kind in _TEXTS
        }
        self.is_usable = all(column.kind in _KINDS for column in schema.stored) and not any(
            column.source.startswith("_") for column in schema.columns
        )

    def without_texts(self) -> "Accountant | None":
        """One that reads every field as JSON text, if that is another."""
        return Accountant(self._schema, ()) if self._texts else None

    def source(self, pieces: Sequence[PieceFile]) -> str:
        """The records of a chunk as SQL: a column for each field that is stored, under its own name, and `LENGTH`."""
        columns = self._schema.stored
        types = ", ".join(
            f"{text(column.source)}: '{'VARCHAR' if column.source in self._texts else 'JSON'}'" for column in columns
        )
        shape = "array" if pieces[0].is_array else "newline_delimited"
        found = ", ".join(f"record.{name(column.source)}::VARCHAR AS {name(column.source)}" for column in columns)
        odd = " OR ".join(self._odd(column) for column in columns)
        length = " + ".join(self._length(column) for column in columns)
        values = ", ".join(f"{self._value(column)} AS {name(column.source)}" for column in columns)
        return (
            f"(SELECT {values}, CASE WHEN {odd} THEN NULL ELSE {_BRACES} + {length} END AS {LENGTH} "
            f"FROM (SELECT {found} FROM read_json({files([piece.path for piece in pieces])}, format='{shape}', "
            f"records='true', columns={{{types}}}, maximum_object_size={_RECORD_BYTES}) AS record) AS held)"
        )

    def adds_up(self, engine: duckdb.DuckDBPyConnection, table: str, pieces: Sequence[PieceFile]) -> bool:
        """Whether the rows of a table hold all that stands in the pieces that they were read from."""
        counts = "".join(f", count({name(column.name)})" for column in self._schema.stored)
        found = engine.execute(f"SELECT count(*), count({LENGTH}), sum({LENGTH}){counts} FROM {table}").fetchone()
        rows, proven, length, *held = found or (0, 0, 0)
        if not rows or proven != rows or not self._has_key(dict(zip(self._schema.stored, held, strict=True)), rows):
            return False
        # At least these stand between records: a comma, or the end of a line.
        between = rows - sum(not piece.ends_line for piece in pieces)
        missing = sum(piece.bytes for piece in pieces) - length - between
        if missing <= 0:
            return bool(missing == 0)
        # Fields that are null, which the engine does not tell from absent ones, and blanks that can stand in no string.
        absent = [column for column, count in zip(self._schema.stored, held, strict=True) if count < rows]
        absent += [column for column in self._schema.columns if column.kind is Kind.NULL]
        escaped: int | None = 0
        for piece in pieces:
            content = piece.load().content
            missing -= sum(
                content.count(b'"%b":null' % column.source.encode()) * (len(column.source.encode()) + _MARKS + _NULL)
                for column in absent
            )
            missing -= sum(content.count(blank) for blank in (b"\n", b"\r", b"\t"))
            if escaped is not None:
                saved = _saved_by_escapes(content)
                escaped = None if saved is None else escaped + saved
        missing += 0 if pieces[0].is_array else between
        return bool(missing == 0 or (self._has_escapes_in_texts_alone and missing == escaped))

    @property
    def _has_escapes_in_texts_alone(self) -> bool:
        """Whether the engine takes all escapes away: it writes JSON text with escapes of its own."""
        return all(
            column.source in self._texts or column.kind in (Kind.BIGINT, Kind.BOOLEAN) for column in self._schema.stored
        )

    def _has_key(self, held: dict[Column, int], rows: int) -> bool:
        """Whether every record has the key of a new table: it is one only then."""
        if not self._schema.identity_is_key or self._schema.identity_frozen:
            return True
        return all(held.get(self._schema.by_source[source]) == rows for source in self._schema.identity)

    def _value(self, column: Column) -> str:
        held = _held(column)
        match column.kind:
            case Kind.BIGINT:
                return f"TRY_CAST({held} AS BIGINT)"
            case Kind.BOOLEAN:
                return f"TRY_CAST({held} AS BOOLEAN)"
            case Kind.JSON:
                return "NULL::VARCHAR"
        if column.source in self._texts:
            return held
        inside = f"substring({held}, 2, length({held}) - 2)"
        return f"CASE WHEN contains({held}, '\\') THEN {held}::JSON ->> '$' ELSE {inside} END"

    def _odd(self, column: Column) -> str:
        """Whether a value is of another kind than the column's; null or false when not."""
        held = _held(column)
        match column.kind:
            case Kind.BIGINT:
                # The digits of a whole number are the same again; `1.0` and `1e5` are not.
                return f"{_digits(self._value(column))} IS DISTINCT FROM strlen({held})"
            case Kind.BOOLEAN:
                return f"{held} NOT IN ('true', 'false')"
            case Kind.JSON:
                return f"{held} IS NOT NULL"
        if column.source not in self._texts:
            return f"NOT starts_with({held}, '\"')"
        return f"regexp_matches({held}, {text(_NO_STRING)})"

    def _length(self, column: Column) -> str:
        quotes = _QUOTES if column.source in self._texts else 0
        return f"coalesce(strlen({_held(column)}) + {len(column.source.encode()) + _MARKS + quotes}, 0)"


def _held(column: Column) -> str:
    return f"held.{name(column.source)}"


def _digits(number: str) -> str:
    """The length of a whole number as it is written: quicker than to write it."""
    steps = " ".join(f"WHEN {number} < {10**digits} THEN {digits}" for digits in range(1, _LONGEST_NUMBER))
    return f"CASE WHEN {number} < 0 THEN strlen({number}::VARCHAR) {steps} WHEN {number} > 0 THEN {_LONGEST_NUMBER} END"


def _saved_by_escapes(content: bytes) -> int | None:
    """How many bytes shorter a text is without its escapes; None where that is not quickly told."""
    # A backslash that is itself escaped begins no escape.
    escapes = content.count(b"\\") - content.count(rb"\\")
    in_hex = content.count(rb"\u")
    if not in_hex:
        return escapes
    found = Counter(_UNICODE_ESCAPE.findall(content))
    if content.count(rb"\\u") or found.total() != in_hex:
        return None
    return escapes - in_hex + sum(count * (6 - _bytes_of(int(code, 16) << 4)) for code, count in found.items())


def _bytes_of(code: int) -> int:
    """The bytes of a character in UTF-8; of half of one for halves of surrogate pairs."""
    if code < 0x80:
        return 1
    return 2 if code < 0x800 or 0xD800 <= code < 0xE000 else 3


def is_text(value: bytes) -> bool:
    """Whether a value's JSON text is a string whose content could be no other JSON value.

    One with escapes is not, though it could be read so: to count what escapes save takes longer than to read JSON text.
    """
    return value[:1] == b'"' and b"\\" not in value and not _NO_STRING_BYTES.match(value[1:-1])
