"""Staging: SQL that turns records into typed rows, each with its identity and its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from lambdas.lake.engine import files, name, text, timestamp
from lambdas.lake.errors import Unloadable
from lambdas.lake.formats.splitting import PieceFile
from lambdas.lake.schema import BATCH_ID, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID, Column, Kind, Schema
from lambdas.vocabulary import ExportType

ENGINE_TYPES = {
    Kind.BIGINT: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.STRING: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.JSON: "VARCHAR",
    Kind.MIXED: "VARCHAR",
}
IDENTITY = "_identity_"
"""Fields of a normalised row: the components of its identity, numbered from 1."""
TIME_TEXT, TIME_NUMBER = "_time_text_", "_time_number_"
"""Fields of a normalised row: its event times as texts and as numbers, whatever their columns, numbered from 1."""
NO_VALUE = "n"
"""The component of a field without a value."""

# Kinds whose column values can serve as keys.
_KEYS = (Kind.BIGINT, Kind.STRING)
_INSTANT, _AT = "_instant_", "_at"


@dataclass(frozen=True)
class Rows:
    """The context of staging: the table's schema and the export's age."""

    export: ExportType
    schema: Schema
    time_zone: str
    ordered_at: datetime
    batch_id: str


def records(pieces: Sequence[PieceFile], schema: Schema) -> str:
    """SQL for the records of pieces that match the schema exactly, with fields under their source names."""
    fields = ", ".join(f"{text(column.source)}: {text(ENGINE_TYPES[column.kind])}" for column in schema.stored)
    shape = "array" if pieces[0].is_array else "newline_delimited"
    paths = [piece.path for piece in pieces]
    return (
        f"read_json({files(paths)}, format='{shape}', records='true', columns={{{fields}}}, "
        f"maximum_object_size={_longest(paths)})"
    )


def staged(rows: Rows, source: str) -> str:
    """SQL that turns records into rows."""
    columns = {column.source: column for column in rows.schema.stored}
    selected = [f"{_field(column)} AS {name(column.name)}" for column in columns.values()]
    selected += [
        f"{_component(column, _field(column))} AS {IDENTITY}{i}"
        for i, column in enumerate(map(rows.schema.by_source.__getitem__, rows.schema.identity), start=1)
    ]
    for position, field in _numbered(rows.export.event_time):
        column = columns.get(field)
        selected.append(f"{_held(column, Kind.STRING, Kind.MIXED)}::VARCHAR AS {TIME_TEXT}{position}")
        selected.append(f"{_held(column, Kind.BIGINT)}::BIGINT AS {TIME_NUMBER}{position}")
    found = f"SELECT {', '.join(selected)}, NULL::VARCHAR AS {RESCUED} FROM {source} AS record"
    return _rows(rows, found, has_no_rescued_values=True)


def staged_normalised(rows: Rows, piece: Path) -> str:
    """SQL that turns the record path's normalised rows into rows."""
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


def identity(rows: Rows) -> list[str]:
    """The columns that identify a stored row: its time, and `_row_id` or, where that is null, the key's column."""
    column = key_column(rows)
    return [
        *([EVENT_AT] if rows.export.is_event else []),
        *([column.name] if column is not None else []),
        ROW_ID,
    ]


def key(rows: Rows) -> str:
    """SQL for the key of a stored row, without its time."""
    row_id = f"regexp_replace({ROW_ID}, '[|][^|]*$', '')" if rows.export.is_event else ROW_ID
    column = key_column(rows)
    return row_id if column is None else f"coalesce({row_id}, {_component(column, name(column.name))})"


def key_column(rows: Rows) -> Column | None:
    """The column whose values are the key, so that `_row_id` need not repeat them."""
    schema = rows.schema
    # One time has many spellings.
    if not schema.identity_is_key or schema.identity[0] in rows.export.event_time:
        return None
    column = schema.by_source.get(schema.identity[0])
    return column if column is not None and column.kind in _KEYS else None


def day(rows: Rows) -> str:
    """SQL for the day of a row's event in the account's time zone; null where the time is unknown."""
    if rows.time_zone == "UTC":
        return f"{EVENT_AT}::DATE"
    return f"timezone({text(rows.time_zone)}, timezone('UTC', {EVENT_AT}))::DATE"


def _rows(rows: Rows, source: str, *, has_no_rescued_values: bool = False) -> str:
    """Rows of a source in SQL; `has_no_rescued_values` when every value fits its column."""
    numbered = {field: position for position, field in _numbered(rows.export.event_time)}
    in_identity = {field: position for field, position in numbered.items() if field in rows.schema.identity}
    instants = "".join(f", {_instant(position)} AS {_INSTANT}{position}" for position in in_identity.values())
    # A later field is read only where the earlier ones have no time.
    times = [
        f"{_INSTANT}{position}" if field in in_identity else _instant(position) for field, position in numbered.items()
    ]
    event_at = f"coalesce({', '.join(times)})" if times else "NULL::TIMESTAMPTZ"
    # Columns that are not fields of the record.
    made = {
        # Twice as fast as timezone('UTC', …).
        EVENT_AT: f"make_timestamp(epoch_us({_AT}))",
        BATCH_ID: text(rows.batch_id),
        ORDERED_AT: timestamp(rows.ordered_at),
        ROW_ID: _row_id(rows, in_identity, has_no_rescued_values=has_no_rescued_values),
    }
    columns = stored_columns(rows.schema, rows.export)
    selected = ", ".join(f"{made[column]} AS {column}" if column in made else name(column) for column in columns)
    return (
        f"WITH source AS ({source}), known AS (SELECT *{instants} FROM source), "
        f"timed AS (SELECT *, {event_at} AS {_AT} FROM known) SELECT {selected} FROM timed"
    )


def _longest(paths: list[Path]) -> int:
    """The maximum size of a record: the engine allocates twice that for each of its buffers."""
    return max(1 << 20, *(path.stat().st_size + 1 for path in paths))


def _instant(position: int) -> str:
    """The instant in a field: ISO 8601 text (UTC where no offset is given), or milliseconds since 1970.

    Read from the record, not from the column, whose kind depends on the first export.
    """
    held, number = f"{TIME_TEXT}{position}", f"{TIME_NUMBER}{position}"
    return (
        # The engine also takes 'infinity', 'epoch' and years BC for times.
        f"coalesce(CASE WHEN {held} LIKE '____-__-__%' AND NOT contains({held}, '(') "
        f"THEN try_cast({held} AS TIMESTAMPTZ) END, "
        # From 1973 to 2286: any other number is no time.
        f"CASE WHEN {number} BETWEEN 100000000000 AND 9999999999999 THEN make_timestamptz({number} * 1000) END)"
    )


def _component(column: Column, held: str) -> str:
    """SQL for a field's component of an identity."""
    match column.kind:
        case Kind.STRING | Kind.MIXED:
            return f"coalesce('s' || length({held}) || ':' || {held}, '{NO_VALUE}')"
        case Kind.BIGINT:
            return f"coalesce('i' || {held}, '{NO_VALUE}')"
        case Kind.BOOLEAN:
            return f"coalesce('b' || {held}, '{NO_VALUE}')"
        case Kind.JSON | Kind.NULL:
            return f"'{NO_VALUE}'"
    raise Unloadable(f"The identity field '{column.source}' is of kind {column.kind}: only the record path reads it.")


def _row_id(rows: Rows, times: Mapping[str, int], *, has_no_rescued_values: bool) -> str:
    """SQL for `_row_id`: the components, event times as instants; null where the key's column suffices."""
    column = key_column(rows)
    if column is not None and has_no_rescued_values:
        return "NULL::VARCHAR"
    parts = []
    for position, source in _numbered(rows.schema.identity):
        part = f"{IDENTITY}{position}"
        if source in times:
            part = f"coalesce('t' || epoch_us({_INSTANT}{times[source]}), {part})"
        parts.append(part)
    if rows.export.is_event:
        parts.append(_moment(_AT))
    row_id = f"concat_ws('|', {', '.join(parts or [text('')])})"
    if not rows.schema.identity_is_key:
        return f"md5({row_id})"
    # A key is shorter and more useful than a hash, which does not compress.
    if column is None:
        return row_id
    return f"CASE WHEN {parts[0]} <> {_component(column, name(column.name))} THEN {row_id} END"


def _moment(instant: str) -> str:
    return f"coalesce('t' || epoch_us({instant}), '{NO_VALUE}')"


def _field(column: Column) -> str:
    """A field of a record, qualified: its name may also be another column's."""
    return f"record.{name(column.source)}"


def _held(column: Column | None, *kinds: Kind) -> str:
    return _field(column) if column is not None and column.kind in kinds else "NULL"


def _numbered(sources: tuple[str, ...]) -> list[tuple[int, str]]:
    return list(enumerate(sources, start=1))
