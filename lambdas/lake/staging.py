"""Staging: pieces become typed rows in Parquet files of the work folder, each with its identity and its day."""

from dataclasses import dataclass
from pathlib import Path

import duckdb

from lambdas.lake.careful import IDENTITY
from lambdas.lake.containers import Piece
from lambdas.lake.engine import files, name, text
from lambdas.lake.errors import Unloadable
from lambdas.lake.keys import UNKNOWN_DAY
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
_INSTANT = "_instant_"


@dataclass(frozen=True)
class Rows:
    """What every staged row is made by: the table's shape and the export's age."""

    export: ExportType
    schema: Schema
    time_zone: str
    ordered_at: str
    batch_id: str


def stage(engine: duckdb.DuckDBPyConnection, rows: Rows, pieces: list[Path], is_array: bool, target: Path) -> int:
    """Stage pieces that hold exactly what the schema says, under the fields' own names; return the number of rows.

    Raises:
        duckdb.Error: a piece holds something else after all, such as a repeated name.
    """
    columns = {column.source: column for column in rows.schema.stored}
    fields = ", ".join(f"{text(source)}: {text(ENGINE_TYPES[column.kind])}" for source, column in columns.items())
    selected = ", ".join(f"{name(source)} AS {name(column.name)}" for source, column in columns.items())
    shape = "array" if is_array else "newline_delimited"
    source = (
        f"SELECT {selected}, NULL::VARCHAR AS {RESCUED}, {_strict_identity(rows.schema)} AS {IDENTITY} "
        f"FROM read_json({files(pieces)}, format='{shape}', records='true', columns={{{fields}}}, "
        f"maximum_object_size={_longest(pieces)})"
    )
    return _stage(engine, rows, source, target)


def stage_normalised(engine: duckdb.DuckDBPyConnection, rows: Rows, piece: Path, target: Path) -> int:
    """Stage rows that the careful way has written, under the columns' names; return their number."""
    fields = [f"{text(column.name)}: {text(ENGINE_TYPES[column.kind])}" for column in rows.schema.stored]
    fields += [f"{text(RESCUED)}: 'VARCHAR'", f"{text(IDENTITY)}: 'VARCHAR[]'"]
    source = (
        f"SELECT * FROM read_json({files([piece])}, format='newline_delimited', records='true', "
        f"columns={{{', '.join(fields)}}}, maximum_object_size={_longest([piece])})"
    )
    return _stage(engine, rows, source, target)


def stored_columns(schema: Schema, export: ExportType) -> list[str]:
    """All columns of a table's files, in their order."""
    instant = [EVENT_AT] if export.is_event else []
    return [*(column.name for column in schema.stored), *instant, BATCH_ID, ORDERED_AT, ROW_ID, RESCUED]


def _stage(engine: duckdb.DuckDBPyConnection, rows: Rows, source: str, target: Path) -> int:
    times = _event_times(rows)
    instants = "".join(f", {_instant(column)} AS {name(_INSTANT + column.name)}" for column in times)
    event_at = f"coalesce({', '.join(name(_INSTANT + c.name) for c in times)})" if times else "NULL::TIMESTAMPTZ"
    day = f"coalesce(strftime(timezone({text(rows.time_zone)}, {event_at}), '%Y-%m-%d'), '{UNKNOWN_DAY}')"
    columns = ", ".join(name(column.name) for column in rows.schema.stored)
    result = engine.execute(
        f"COPY (WITH source AS ({source}), timed AS (SELECT *{instants} FROM source) "
        f"SELECT {columns}{',' if columns else ''} timezone('UTC', {event_at}) AS {EVENT_AT}, "
        f"{text(rows.batch_id)} AS {BATCH_ID}, "
        f"TIMESTAMP {text(rows.ordered_at.removesuffix('+00:00'))} AS {ORDERED_AT}, "
        f"md5({_identity(rows, times, event_at)}) AS {ROW_ID}, {RESCUED}, {day} AS {DAY} "
        f"FROM timed) TO {text(str(target))} (FORMAT parquet, COMPRESSION snappy)"
    ).fetchone()
    return int(result[0]) if result else 0


def _longest(paths: list[Path]) -> int:
    """The most bytes that a record may have: the engine takes twice that for each of its buffers."""
    return max(1 << 20, *(path.stat().st_size + 1 for path in paths))


def _event_times(rows: Rows) -> list[Column]:
    """The columns that may hold the event's instant, the best first."""
    found = (rows.schema.by_source.get(source) for source in rows.export.event_time)
    return [column for column in found if column is not None and column.kind in (Kind.STRING, Kind.MIXED, Kind.BIGINT)]


def _instant(column: Column) -> str:
    """The instant in a column: ISO 8601 text (UTC where no offset is given), or milliseconds since 1970."""
    held = name(column.name)
    if column.kind is Kind.BIGINT:
        # From 1973 to 2286: anything else is a number that is no time.
        return f"CASE WHEN {held} BETWEEN 100000000000 AND 9999999999999 THEN make_timestamptz({held} * 1000) END"
    # Words like 'infinity' and 'epoch' are times to the engine and to nobody else.
    return f"CASE WHEN {held} LIKE '____-__-__%' THEN try_cast({held} AS TIMESTAMPTZ) END"


def _strict_identity(schema: Schema) -> str:
    """The components of an identity in SQL: the same texts as `careful.canonical` writes."""
    return "[" + ", ".join(_component(schema.by_source[source]) for source in schema.identity) + "]::VARCHAR[]"


def _component(column: Column) -> str:
    held = name(column.source)
    match column.kind:
        case Kind.STRING:
            return f"coalesce('s' || length({held}) || ':' || {held}, 'n')"
        case Kind.BIGINT:
            return f"coalesce('i' || {held}, 'n')"
        case Kind.BOOLEAN:
            return f"coalesce('b' || {held}, 'n')"
    raise Unloadable(
        f"The identity field '{column.source}' is of kind {column.kind}, which only the careful way reads."
    )


def _identity(rows: Rows, times: list[Column], event_at: str) -> str:
    """The text of a row's identity: its components, with instants in place of the texts of event times."""
    timed = {column.source: column for column in times}
    parts = []
    for position, source in enumerate(rows.schema.identity, start=1):
        part = f"{IDENTITY}[{position}]"
        if source in timed:
            part = f"coalesce('t' || epoch_us({name(_INSTANT + timed[source].name)}), {part})"
        parts.append(part)
    if rows.export.is_event:
        parts.append(f"coalesce('t' || epoch_us({event_at}), 'n')")
    return f"concat_ws('|', {', '.join(parts)})"


def write_piece(piece: Piece, path: Path) -> None:
    """Write a piece for the engine."""
    path.write_bytes(b"[" + piece.content + b"]" if piece.is_array else piece.content)
