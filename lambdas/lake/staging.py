"""Staging: records become typed rows, each with its identity and its day. All of it is SQL for the engine."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lambdas.lake.careful import IDENTITY, TIME_NUMBER, TIME_TEXT
from lambdas.lake.containers import PieceFile
from lambdas.lake.engine import files, name, text
from lambdas.lake.errors import Unloadable
from lambdas.lake.schema import BATCH_ID, DAY, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID, Column, Kind, Schema
from lambdas.symplify.vocabulary import ExportType

ENGINE_TYPES = {
    Kind.BIGINT: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.STRING: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.JSON: "VARCHAR",
    Kind.MIXED: "VARCHAR",
}
NO_VALUE = "n"
"""The component of a field without a value."""

_INSTANT = "_instant_"


@dataclass(frozen=True)
class Rows:
    """What every staged row is made by: the table's shape and the export's age."""

    export: ExportType
    schema: Schema
    time_zone: str
    ordered_at: datetime
    batch_id: str


def records(pieces: Sequence[PieceFile], schema: Schema) -> str:
    """The records of pieces that hold exactly what the schema says, as SQL: their fields under their own names."""
    fields = ", ".join(f"{text(column.source)}: {text(ENGINE_TYPES[column.kind])}" for column in schema.stored)
    shape = "array" if pieces[0].is_array else "newline_delimited"
    paths = [piece.path for piece in pieces]
    return (
        f"read_json({files(paths)}, format='{shape}', records='true', columns={{{fields}}}, "
        f"maximum_object_size={_longest(paths)})"
    )


def staged(rows: Rows, source: str, also: Sequence[str] = ()) -> str:
    """Records as rows, in SQL; `also` are columns of theirs that stay as they are."""
    columns = {column.source: column for column in rows.schema.stored}
    selected = [f"{_field(column)} AS {name(column.name)}" for column in columns.values()]
    selected += [
        f"{_component(rows.schema.by_source[field])} AS {IDENTITY}{i}" for i, field in _numbered(rows.schema.identity)
    ]
    for position, field in _numbered(rows.export.event_time):
        column = columns.get(field)
        selected.append(f"{_held(column, Kind.STRING, Kind.MIXED)}::VARCHAR AS {TIME_TEXT}{position}")
        selected.append(f"{_held(column, Kind.BIGINT)}::BIGINT AS {TIME_NUMBER}{position}")
    return _rows(
        rows, f"SELECT {', '.join([*selected, *also])}, NULL::VARCHAR AS {RESCUED} FROM {source} AS record", also
    )


def staged_normalised(rows: Rows, piece: Path) -> str:
    """Rows that the careful way has written under the columns' names, in SQL."""
    fields = [f"{text(column.name)}: {text(ENGINE_TYPES[column.kind])}" for column in rows.schema.stored]
    fields += [f"{text(RESCUED)}: 'VARCHAR'"]
    fields += [f"{text(f'{IDENTITY}{position}')}: 'VARCHAR'" for position, _ in _numbered(rows.schema.identity)]
    for position, _ in _numbered(rows.export.event_time):
        fields += [f"{text(f'{TIME_TEXT}{position}')}: 'VARCHAR'", f"{text(f'{TIME_NUMBER}{position}')}: 'BIGINT'"]
    return _rows(
        rows,
        f"SELECT * FROM read_json({files([piece])}, format='newline_delimited', records='true', "
        f"columns={{{', '.join(fields)}}}, maximum_object_size={_longest([piece])})",
    )


def stored_columns(schema: Schema, export: ExportType) -> list[str]:
    """All columns of a table's files, in their order."""
    instant = [EVENT_AT] if export.is_event else []
    return [*(column.name for column in schema.stored), *instant, BATCH_ID, ORDERED_AT, ROW_ID, RESCUED]


def _rows(rows: Rows, source: str, also: Sequence[str] = ()) -> str:
    times = [position for position, _ in _numbered(rows.export.event_time)]
    instants = "".join(f", {_instant(position)} AS {_INSTANT}{position}" for position in times)
    event_at = f"coalesce({', '.join(f'{_INSTANT}{position}' for position in times)})" if times else "NULL::TIMESTAMPTZ"
    columns = "".join(f"{name(column.name)}, " for column in rows.schema.stored)
    identity = _identity(rows, event_at)
    # A key is short and tells more than a hash, which no compression makes smaller.
    row_id = identity if rows.schema.identity_is_key else f"md5({identity})"
    # What is the same in every row of the export is added when it is written.
    return (
        f"WITH source AS ({source}), timed AS (SELECT *{instants} FROM source) "
        f"SELECT {columns}timezone('UTC', {event_at}) AS {EVENT_AT}, {row_id} AS {ROW_ID}, {RESCUED}, "
        f"timezone({text(rows.time_zone)}, {event_at})::DATE AS {DAY}{''.join(f', {column}' for column in also)} "
        "FROM timed"
    )


def _longest(paths: list[Path]) -> int:
    """The most bytes that a record may have: the engine takes twice that for each of its buffers."""
    return max(1 << 20, *(path.stat().st_size + 1 for path in paths))


def _instant(position: int) -> str:
    """The instant in a field: ISO 8601 text (UTC where no offset is given), or milliseconds since 1970.

    It is read from what the record holds, not from the column, whose kind depends on the first export.
    """
    held, number = f"{TIME_TEXT}{position}", f"{TIME_NUMBER}{position}"
    return (
        # Words like 'infinity' and 'epoch', and years before Christ, are times to the engine and to nobody else.
        f"coalesce(CASE WHEN {held} LIKE '____-__-__%' AND NOT contains({held}, '(') "
        f"THEN try_cast({held} AS TIMESTAMPTZ) END, "
        # From 1973 to 2286: anything else is a number that is no time.
        f"CASE WHEN {number} BETWEEN 100000000000 AND 9999999999999 THEN make_timestamptz({number} * 1000) END)"
    )


def _component(column: Column) -> str:
    held = _field(column)
    match column.kind:
        case Kind.STRING | Kind.MIXED:
            return f"coalesce('s' || length({held}) || ':' || {held}, '{NO_VALUE}')"
        case Kind.BIGINT:
            return f"coalesce('i' || {held}, '{NO_VALUE}')"
        case Kind.BOOLEAN:
            return f"coalesce('b' || {held}, '{NO_VALUE}')"
        case Kind.JSON | Kind.NULL:
            return f"'{NO_VALUE}'"
    raise Unloadable(f"The identity field '{column.source}' is of kind {column.kind}: only the careful way reads it.")


def _identity(rows: Rows, event_at: str) -> str:
    """The text of a row's identity: its components, with instants in place of the texts of event times."""
    times = {source: position for position, source in _numbered(rows.export.event_time)}
    parts = []
    for position, source in _numbered(rows.schema.identity):
        part = f"{IDENTITY}{position}"
        if source in times:
            part = f"coalesce('t' || epoch_us({_INSTANT}{times[source]}), {part})"
        parts.append(part)
    if rows.export.is_event:
        parts.append(f"coalesce('t' || epoch_us({event_at}), '{NO_VALUE}')")
    return f"concat_ws('|', {', '.join(parts or [text('')])})"


def _field(column: Column) -> str:
    """A field of a record by its own name, which may be another column's name as well."""
    return f"record.{name(column.source)}"


def _held(column: Column | None, *kinds: Kind) -> str:
    return _field(column) if column is not None and column.kind in kinds else "NULL"


def _numbered(sources: tuple[str, ...]) -> list[tuple[int, str]]:
    return list(enumerate(sources, start=1))
