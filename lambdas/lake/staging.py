"""Staging: pieces become typed rows in Parquet files of the work folder, each with its identity and its day."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import duckdb

from lambdas.lake.careful import IDENTITY, TIME_NUMBER, TIME_TEXT
from lambdas.lake.containers import Piece
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
KEY = "_key"
"""The key's component of the identity in staged rows; null in a table without a key."""
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


def stage(engine: duckdb.DuckDBPyConnection, rows: Rows, pieces: list[Path], is_array: bool, target: Path) -> int:
    """Stage pieces that hold exactly what the schema says, under the fields' own names; return the number of rows.

    Raises:
        duckdb.Error: a piece holds something else after all, such as a repeated name.
    """
    columns = {column.source: column for column in rows.schema.stored}
    fields = ", ".join(f"{text(source)}: {text(ENGINE_TYPES[column.kind])}" for source, column in columns.items())
    selected = ", ".join(f"{_field(column)} AS {name(column.name)}" for column in columns.values())
    extra = [
        f"{_component(rows.schema.by_source[field])} AS {IDENTITY}{i}" for i, field in _numbered(rows.schema.identity)
    ]
    for position, field in _numbered(rows.export.event_time):
        column = columns.get(field)
        extra.append(f"{_held(column, Kind.STRING, Kind.MIXED)}::VARCHAR AS {TIME_TEXT}{position}")
        extra.append(f"{_held(column, Kind.BIGINT)}::BIGINT AS {TIME_NUMBER}{position}")
    source = (
        f"SELECT {', '.join([selected, *extra])}, NULL::VARCHAR AS {RESCUED} "
        f"FROM read_json({files(pieces)}, format='{'array' if is_array else 'newline_delimited'}', records='true', "
        f"columns={{{fields}}}, maximum_object_size={_longest(pieces)}) AS record"
    )
    return _stage(engine, rows, source, target)


def stage_normalised(engine: duckdb.DuckDBPyConnection, rows: Rows, piece: Path, target: Path) -> int:
    """Stage rows that the careful way has written, under the columns' names; return their number."""
    fields = [f"{text(column.name)}: {text(ENGINE_TYPES[column.kind])}" for column in rows.schema.stored]
    fields += [f"{text(RESCUED)}: 'VARCHAR'"]
    fields += [f"{text(f'{IDENTITY}{position}')}: 'VARCHAR'" for position, _ in _numbered(rows.schema.identity)]
    for position, _ in _numbered(rows.export.event_time):
        fields += [f"{text(f'{TIME_TEXT}{position}')}: 'VARCHAR'", f"{text(f'{TIME_NUMBER}{position}')}: 'BIGINT'"]
    source = (
        f"SELECT * FROM read_json({files([piece])}, format='newline_delimited', records='true', "
        f"columns={{{', '.join(fields)}}}, maximum_object_size={_longest([piece])})"
    )
    return _stage(engine, rows, source, target)


def stored_columns(schema: Schema, export: ExportType) -> list[str]:
    """All columns of a table's files, in their order."""
    instant = [EVENT_AT] if export.is_event else []
    return [*(column.name for column in schema.stored), *instant, BATCH_ID, ORDERED_AT, ROW_ID, RESCUED]


def write_piece(piece: Piece, path: Path) -> None:
    """Write a piece for the engine."""
    path.write_bytes(b"[" + piece.content + b"]" if piece.is_array else piece.content)


def _stage(engine: duckdb.DuckDBPyConnection, rows: Rows, source: str, target: Path) -> int:
    times = [position for position, _ in _numbered(rows.export.event_time)]
    instants = "".join(f", {_instant(position)} AS {_INSTANT}{position}" for position in times)
    event_at = f"coalesce({', '.join(f'{_INSTANT}{position}' for position in times)})" if times else "NULL::TIMESTAMPTZ"
    columns = "".join(f"{name(column.name)}, " for column in rows.schema.stored)
    key = f"{IDENTITY}1" if rows.schema.identity_is_key else "NULL::VARCHAR"
    # What is the same in every row of the export is added when it is merged.
    result = engine.execute(
        f"COPY (WITH source AS ({source}), timed AS (SELECT *{instants} FROM source) "
        f"SELECT {columns}timezone('UTC', {event_at}) AS {EVENT_AT}, md5({_identity(rows, event_at)}) AS {ROW_ID}, "
        f"{RESCUED}, {key} AS {KEY}, timezone({text(rows.time_zone)}, {event_at})::DATE AS {DAY} "
        f"FROM timed) TO {text(str(target))} (FORMAT parquet, COMPRESSION snappy)"
    ).fetchone()
    return int(result[0]) if result else 0


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
