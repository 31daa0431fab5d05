"""The fast path: the engine reads a chunk of pieces as they are, proven lossless by byte-count reconciliation.

Engines read JSON fast and lose data silently: a new field, 0.5 in an integer column, "123" cast, `null` as a record.
Three checks together prove that nothing of the kind happened.

- A value that could come out longer than its text is refused while it is read: a number with a fraction or an exponent
  in an integer column (1e5), anything but true and false in a boolean one.
- No string comes from another kind of value. String fields are read raw (`texts`), which is fast, and searched for the
  engine's spelling of other values; or, where strings are ambiguous, read as JSON text, whose quotes decide. Ids that
  are whole numbers are read as JSON text and searched for anything else.
- The lengths of all names, values and delimiters in the chunk's file add up to the length of its pieces. The engine
  only shortens what it reads (whitespace, escapes, what it ignores), so differences cannot cancel out, and no
  difference means that everything was read.

A chunk that does not reconcile is no error: it has nulls, whitespace, unforeseen escapes or other fields, and the texts
of its records are read (`texts.py`).
"""

from collections.abc import Iterable, Sequence
from itertools import takewhile
from pathlib import Path

import duckdb

from lambdas.lake.column_types import Column, Kind, Schema
from lambdas.lake.engine import any_of, files, parquet
from lambdas.lake.formats.ambiguous_strings import NO_STRING, may_begin_no_string
from lambdas.lake.formats.splitting import PieceFile
from lambdas.lake.sql import name, text

_TEXTS = (Kind.STRING, Kind.ID)
_KINDS = (Kind.BIGINT, Kind.BOOLEAN, *_TEXTS)
# Quotes, colon and comma of a field, and a value's own quotes.
_MARKS, _QUOTES = len('"":,'), len('""')
# The braces of a record, less the comma that its last field lacks.
_BRACES = len("{}") - len(",")
# Longer records take another path; the engine allocates twice that for each of its threads.
_RECORD_BYTES = 4 << 20
_COERCED = "error('the value would be coerced')"


class FastPath:
    """Reads chunks under a schema, and reconciles their byte counts."""

    def __init__(
        self, schema: Schema, texts: Iterable[str], escaped: Iterable[str] = (), numbers: Iterable[str] = ()
    ) -> None:
        """Prepare for a schema whose names the engine can distinguish.

        `texts` are the fields whose strings are unambiguous (`is_text`); `escaped` are those in which quotes and
        backslashes are expected, and therefore counted; `numbers` are those whose values are whole numbers, also where
        the column holds ids.
        """
        self._schema = schema
        self._numeric_ids = {
            source for source in numbers if source in schema.by_source and schema.by_source[source].kind is Kind.ID
        }
        self._texts, self._escaped = (
            {source for source in some if source in schema.by_source and schema.by_source[source].kind in _TEXTS}
            for some in (texts, escaped)
        )
        # The engine does not distinguish `Id` from `id`.
        self.is_usable = (
            bool(schema.stored)
            and all(column.kind in _KINDS and not column.source.startswith("_") for column in schema.columns)
            and len({column.source.casefold() for column in schema.columns}) == len(schema.columns)
        )

    def source(self, pieces: Sequence[PieceFile]) -> str:
        """SQL for the records of a chunk: a column for each stored field, under its source name.

        The engine raises an error where a value would be coerced.
        """
        columns = self._schema.stored
        types = ", ".join(
            f"{text(column.source)}: '{'VARCHAR' if column.source in self._texts else 'JSON'}'" for column in columns
        )
        shape = "array" if pieces[0].is_array else "newline_delimited"
        found = ", ".join(f"record.{name(column.source)}::VARCHAR AS {name(column.source)}" for column in columns)
        values = ", ".join(f"{self._value(column)} AS {name(column.source)}" for column in columns)
        return (
            f"(SELECT {values} FROM (SELECT {found} FROM "
            f"read_json({files([piece.path for piece in pieces])}, format='{shape}', "
            f"records='true', columns={{{types}}}, maximum_object_size={_RECORD_BYTES}) AS record) AS held)"
        )

    def adds_up(self, engine: duckdb.DuckDBPyConnection, part: Path, pieces: Sequence[PieceFile]) -> bool:
        """Whether a file has everything that its pieces have, and no text comes from a value of another kind."""
        columns = self._schema.stored
        bounds = _bounds(engine, part)
        measured = ", ".join(
            f"coalesce(sum({self._length(column, bounds[column.name])}), 0) "
            f"+ count({name(column.name)}) * {len(column.source.encode()) + _MARKS}"
            for column in columns
        )
        escapes = " + ".join(_escapes(column) for column in columns if column.source in self._escaped)
        no_string = (
            _is_no_string(column)
            for column in columns
            if column.source in self._texts and may_begin_no_string(_shared_start(bounds[column.name]))
        )
        no_number = (_is_no_whole_number(column) for column in columns if column.source in self._numeric_ids)
        rows, has_others, escaped, lengths = engine.execute(
            f"SELECT count(*), coalesce(bool_or({any_of([*no_string, *no_number])}), false), "
            f"coalesce(sum({escapes or '0'}), 0), [{measured}] "
            f"FROM {parquet([part])}"
        ).fetchone() or (0, False, 0, [])
        # Between records: a comma, or a newline.
        between = rows - sum(not piece.ends_line for piece in pieces)
        found = rows * _BRACES + sum(lengths) + escaped + between
        return bool(rows) and not has_others and found == sum(piece.bytes for piece in pieces)

    def _length(self, column: Column, bounds: Sequence[str]) -> str:
        """SQL for the bytes of a value, without escapes; ids that are numbers have no quotes."""
        return f"strlen({name(column.name)})" if column.source in self._numeric_ids else _length(column, bounds)

    def _value(self, column: Column) -> str:
        held = f"held.{name(column.source)}"
        # The engine writes 1e2 as 100.0; what it writes with e and without a point is too small or too large.
        whole = f"CASE WHEN contains({held}, '.') THEN {_COERCED}::BIGINT ELSE {held}::BIGINT END"
        if column.source in self._numeric_ids:
            return held
        match column.kind:
            case Kind.BIGINT:
                return whole
            case Kind.BOOLEAN:
                return (
                    f"CASE WHEN {held} = 'true' THEN true WHEN {held} = 'false' THEN false "
                    f"WHEN {held} IS NOT NULL THEN {_COERCED}::BOOLEAN END"
                )
        if column.source in self._texts:
            return held
        inside = f"substring({held}, 2, length({held}) - 2)"
        return (
            f"CASE WHEN NOT starts_with({held}, '\"') THEN {_COERCED}::VARCHAR "
            f"WHEN contains({held}, '\\') THEN {held}::JSON ->> '$' ELSE {inside} END"
        )


def _bounds(engine: duckdb.DuckDBPyConnection, part: Path) -> dict[str, list[str]]:
    """By column, the minimum and maximum of every row group of a file, as texts; empty where unknown."""
    found = engine.execute(
        "SELECT path_in_schema, list(stats_min_value) || list(stats_max_value) "
        f"FROM parquet_metadata({text(str(part))}) GROUP BY 1"
    ).fetchall()
    return {column: [bound or "" for bound in bounds] for column, bounds in found}


def _shared_start(texts: Sequence[str]) -> str:
    """The common prefix of all texts that lie between these bounds."""
    shared = takewhile(lambda letters: letters[0] == letters[1], zip(min(texts), max(texts), strict=False))
    return "".join(letter for letter, _ in shared)


def _length(column: Column, bounds: Sequence[str]) -> str:
    """SQL for the bytes of a value, without escapes."""
    held = name(column.name)
    match column.kind:
        case Kind.BIGINT:
            if not all(map(str.isdecimal, bounds)):
                return f"strlen({held}::VARCHAR)"
            # Faster than to format the number. Those between two bounds have no more digits than these, and no fewer.
            fewest, most = min(map(len, bounds)), max(map(len, bounds))
            steps = " ".join(f"WHEN {held} < {10**digits} THEN {digits}" for digits in range(fewest, most))
            return f"CASE {steps} WHEN {held} IS NOT NULL THEN {most} END"
        case Kind.BOOLEAN:
            return f"CASE WHEN {held} THEN {len('true')} WHEN NOT {held} THEN {len('false')} END"
    return f"strlen({held}) + {_QUOTES}"


def _escapes(column: Column) -> str:
    """SQL for the bytes that a string's quotes and backslashes add at least."""
    held = name(column.name)
    without = f"replace(replace({held}, '\"', ''), '\\', '')"
    has_any = f"contains({held}, '\"') OR contains({held}, '\\')"
    return f"CASE WHEN {has_any} THEN strlen({held}) - strlen({without}) ELSE 0 END"


def _is_no_string(column: Column) -> str:
    """SQL for whether a string is the engine's spelling of a value of another kind."""
    held = name(column.name)
    # Most strings begin differently.
    first = ", ".join(str(code) for code in range(128) if may_begin_no_string(chr(code)))
    return f"CASE WHEN ascii({held}) IN ({first}) THEN regexp_matches({held}, {text(NO_STRING)}) END"


def _is_no_whole_number(column: Column) -> str:
    """SQL for whether a JSON text is no whole number; numbers alone begin like one."""
    held = name(column.name)
    return f"ascii({held}) NOT BETWEEN ascii('-') AND ascii('9') OR contains({held}, '.') OR contains({held}, 'e')"
