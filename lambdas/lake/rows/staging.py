"""Staging: SQL that turns records into typed rows, each with its identity and its day."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from lambdas.lake.column_types import BATCH_ID, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID, Column, Kind, Schema
from lambdas.lake.engine import timestamp
from lambdas.lake.profile.profile import EventTime, IdentityKind, Profile
from lambdas.lake.profile.time_formats import instant, instant_of_number
from lambdas.lake.sql import name, text
from lambdas.vocabulary import ExportType

ENGINE_TYPES = {
    Kind.BIGINT: "BIGINT",
    Kind.DOUBLE: "DOUBLE",
    Kind.STRING: "VARCHAR",
    Kind.BOOLEAN: "BOOLEAN",
    Kind.JSON: "VARCHAR",
    Kind.ID: "VARCHAR",
    Kind.MIXED: "VARCHAR",
}
AT = "_at"
"""The instant of the event, in a source of rows."""

# In a hash, of a field without a value.
_NO_VALUE = "n"


@dataclass(frozen=True)
class Rows:
    """The context of staging: the table's schema and profile, and the export's age."""

    export: ExportType
    schema: Schema
    profile: Profile
    time_zone: str
    """The table's, which decides the day of an event."""
    ordered_at: datetime
    batch_id: str


def staged(rows: Rows, source: str) -> str:
    """SQL that turns a source of records, with typed values under the fields' own names, into rows."""
    selected = [f"{_field(column)} AS {name(column.name)}" for column in rows.schema.stored]
    times = [_time(rows, one) for one in rows.profile.event_time]
    selected += [f"{first_of(times)} AS {AT}", f"NULL::VARCHAR AS {RESCUED}"]
    texts = {column.source: f"{name(column.name)}::VARCHAR" for column in rows.schema.stored}
    return rows_from(rows, f"SELECT {', '.join(selected)} FROM {source} AS record", texts)


def stored_columns(rows: Rows) -> list[str]:
    """All columns of a table's files, in their order."""
    instants = [EVENT_AT] if rows.profile.has_days else []
    return [*(column.name for column in rows.schema.stored), *instants, BATCH_ID, ORDERED_AT, ROW_ID, RESCUED]


def content_columns(rows: Rows) -> list[str]:
    """The columns of a row's content: without those that say where it comes from."""
    return [column for column in stored_columns(rows) if column not in (BATCH_ID, ORDERED_AT, ROW_ID)]


def identity(rows: Rows) -> list[str]:
    """The columns that identify a stored row: its time, the columns of its identity, and a hash where these lack it."""
    return [
        *([EVENT_AT] if rows.profile.has_days else []),
        *(column.name for column in identity_columns(rows.profile, rows.schema)),
        ROW_ID,
    ]


def identity_columns(profile: Profile, schema: Schema) -> tuple[Column, ...]:
    """The columns that hold the identity, so that `_row_id` need not; none unless they hold all of it.

    Frozen with the columns, which the first export has.
    """
    columns = [schema.by_source.get(source) for source in profile.identity]
    held = tuple(column for column in columns if column is not None and column.kind is Kind.ID)
    return held if len(held) == len(columns) else ()


def day(rows: Rows) -> str:
    """SQL for the day of a row's event in the account's time zone; null where the time is unknown."""
    if rows.time_zone == "UTC":
        return f"{EVENT_AT}::DATE"
    return f"timezone({text(rows.time_zone)}, timezone('UTC', {EVENT_AT}))::DATE"


def rows_from(rows: Rows, source: str, texts: Mapping[str, str], rest: str = "NULL", unusual: str = "") -> str:
    """SQL for the rows of a source, which has their columns and `AT`.

    `texts` are SQL for the text at each field or path that has one, `rest` for what is in no column; `unusual` is null,
    or identifies the record.
    """
    own = _own(rows, texts, rest)
    # Columns that are not fields of the record.
    made = {
        # Twice as fast as timezone('UTC', …).
        EVENT_AT: f"make_timestamp(epoch_us({AT}))",
        BATCH_ID: text(rows.batch_id),
        ORDERED_AT: timestamp(rows.ordered_at),
        ROW_ID: _row_id(rows, own, _identity_hash(rows, texts, own, unusual)),
    }
    columns = stored_columns(rows)
    selected = ", ".join(f"{made[column]} AS {column}" if column in made else name(column) for column in columns)
    return f"WITH source AS ({source}) SELECT {selected} FROM source"


def _row_id(rows: Rows, own: str, identity_hash: str) -> str:
    """SQL for `_row_id`: null where the columns of the identity suffice.

    A row without a usable time has all of its fields as its identity: with ids alone, two events would be one.
    """
    if rows.profile.kind is IdentityKind.NONE:
        return own
    return f"CASE WHEN {AT} IS NULL THEN {own} ELSE {identity_hash} END" if rows.profile.has_days else identity_hash


def _time(rows: Rows, time: EventTime) -> str:
    """SQL for the instant in a field of a record."""
    column = rows.schema.by_source.get(time.field)
    match column.kind if column is not None else Kind.NULL:
        case Kind.BIGINT | Kind.DOUBLE if column is not None:
            return instant_of_number(_field(column))
        case Kind.STRING | Kind.ID | Kind.MIXED if column is not None:
            return instant(_field(column), time.format, time.time_zone)
    return "NULL::TIMESTAMPTZ"


def first_of(instants: Sequence[str]) -> str:
    """SQL for the first instant that is one; a later one is read only where the earlier ones are none."""
    return f"coalesce({', '.join(instants)})" if instants else "NULL::TIMESTAMPTZ"


def _own(rows: Rows, texts: Mapping[str, str], rest: str) -> str:
    """SQL for the hash of all fields."""
    parts = [
        f"{text(f'{len(column.source)}:{column.source}=')} || {_component(texts[column.source])}"
        for column in sorted(rows.schema.stored, key=lambda column: column.source)
    ]
    return f"md5(concat_ws('|', {', '.join([*parts, rest])}))"


def _identity_hash(rows: Rows, texts: Mapping[str, str], own: str, unusual: str) -> str:
    """SQL for the hash of the identity where its columns do not suffice; null where they do."""
    held = [texts.get(path, "NULL") for path in rows.profile.identity]
    parts = ", ".join(f"coalesce({_component(one)}, '{_NO_VALUE}')" for one in held) or text("")
    found = "NULL::VARCHAR" if identity_columns(rows.profile, rows.schema) else f"md5(concat_ws('|', {parts}))"
    if unusual:
        found = f"CASE WHEN {unusual} IS NULL THEN {found} ELSE md5({unusual}) END"
    if rows.profile.is_key:
        # A record without its key is told from others by all of its fields.
        missing = f"coalesce({', '.join([*held, unusual or 'NULL'])}) IS NULL"
        found = f"CASE WHEN {missing} THEN {own} ELSE {found} END"
    return found


def _component(held: str) -> str:
    """SQL for a text in a hash, so long that it cannot be confused with its neighbour; null without a value."""
    return f"('s' || length({held}) || ':' || {held})"


def _field(column: Column) -> str:
    """A field of a record, qualified: its name may also be another column's."""
    return f"record.{name(column.source)}"
