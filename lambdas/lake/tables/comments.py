"""Comments of columns: meaning, role, unit, time zone and source field, for whoever opens a table in Athena.

They follow from the table's schema, profile and time zone alone, so a night that changes none of these changes no
comment. They hold names of fields, never values.
"""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import TYPE_CHECKING

from lambdas.lake.column_types import BATCH_ID, EVENT_AT, ORDERED_AT, RESCUED, ROW_ID, Column, Kind
from lambdas.lake.profile import field_names
from lambdas.lake.profile.field_names import WHAT, WHO
from lambdas.lake.profile.profile import EventTime, Profile
from lambdas.lake.tables.meanings import Meaning, Unit, meaning_of
from lambdas.quotation import quoted
from lambdas.vocabulary import ExportType, TimeFormat

if TYPE_CHECKING:
    from types_boto3_glue.type_defs import ColumnOutputTypeDef, ColumnTypeDef

# Glue's limit is 255, which its API's model counts in characters and its guide in bytes.
LONGEST = 255
# Of a field's name within a comment; the whole of it stands in the column's parameters.
_LONGEST_NAME = 60
_MARK = "comment_hash"

OWN_COLUMNS: Mapping[str, tuple[str, str]] = {
    EVENT_AT: (
        "timestamp",
        "When the event happened, in UTC, from {fields}; dt is its day in {zone}; null in dt='unknown'",
    ),
    BATCH_ID: ("string", "The batch, Symplify's job of one export, that the row was last seen in"),
    ORDERED_AT: ("timestamp", "When the batch in _batch_id was ordered, in UTC: when the row was last seen"),
    ROW_ID: (
        "string",
        "A hash that tells the row from others, where the columns of its identity do not; null elsewhere",
    ),
    RESCUED: ("string", "JSON of the values that fit no column, by source field; null where all fit"),
}
"""The columns of ours: their types and comments. An entity table lacks the first."""

DAY_COMMENT = "The event's day in the table's time zone, as YYYY-MM-DD, or 'unknown' where it has no usable time"
"""Of the partition key, which is never changed once the table is there; so it names no zone."""

# What versions up to 0.3 wrote, without a mark.
_FORMER = (
    "When the event happened (UTC); null in dt='unknown'",
    "The batch that the row was last seen in",
    "When that batch was ordered (UTC)",
    "A hash that tells the row from others, where the columns of its identity do not",
    "JSON of the values that fit no column",
)
_EPOCHS = {
    TimeFormat.EPOCH_SECONDS,
    TimeFormat.EPOCH_MILLISECONDS,
    TimeFormat.EPOCH_MICROSECONDS,
    TimeFormat.EPOCH_NANOSECONDS,
    TimeFormat.DOT_NET,
}
_UNITS: Mapping[tuple[Unit, Kind], str] = {
    (Unit.TIME, Kind.STRING): "A time as Symplify wrote it, with its own offset or none",
    (Unit.TIME, Kind.BIGINT): "A time since 1970 in UTC, likely in milliseconds; 0 likely means never",
    (Unit.COUNT, Kind.BIGINT): "A count",
}
_KINDS: Mapping[Kind, str] = {
    Kind.JSON: "JSON text",
    Kind.MIXED: "Numbers beyond 64 bits, as text",
}
_TIMES = ("timestamp", "datetime", "date", "time")


def comments_of(export: ExportType, columns: Sequence[Column], profile: Profile, time_zone: str) -> dict[str, str]:
    """The comments of a merged table's columns, by name; `columns` are those from the source."""
    fields = " or ".join(_name(path) for path in profile.times)
    own = {name: words.format(fields=_cut(fields, 100), zone=time_zone) for name, (_, words) in OWN_COLUMNS.items()}
    sources = frozenset(column.source for column in columns)
    return own | {column.name: comment_of(export, column, profile, sources) for column in columns}


def comment_of(export: ExportType, column: Column, profile: Profile, sources: Iterable[str] = ()) -> str:
    """The comment of a column from the source; `sources` are the fields that have columns of their own."""
    known = meaning_of(column.source, export)
    roles = _roles(column, profile, frozenset(sources))
    is_time = any(path == column.source for path in profile.times)
    parts = [
        known.words if known is not None else _hint(column.source, profile),
        "Personal data" if _is_personal(column.source, known, profile) else "",
        f"Role{'' if profile.is_settled else ' (provisional)'}: {', '.join(roles)}" if roles else "",
        "" if is_time else _unit(column, known),
        f"Field {_name(column.source)}{f', as in {known.origin}' if known else '; no meaning is documented'}",
    ]
    return _cut(". ".join(part for part in parts if part), LONGEST - 1) + "."


def commented(
    columns: Iterable["ColumnTypeDef | ColumnOutputTypeDef"], wanted: Mapping[str, str]
) -> list["ColumnTypeDef"]:
    """The columns with these comments, save where somebody else has written one, which stays.

    A hash among a column's parameters tells a comment of ours.
    """
    return [_commented(column, wanted.get(column["Name"])) for column in columns]


def _commented(column: "ColumnTypeDef | ColumnOutputTypeDef", comment: str | None) -> "ColumnTypeDef":
    present, parameters = column.get("Comment", ""), column.get("Parameters", {})
    is_ours = not present or present in _FORMER or parameters.get(_MARK) == _hash(present)
    if comment is None or not is_ours:
        return {**column}
    return {**column, "Comment": comment, "Parameters": {**parameters, _MARK: _hash(comment)}}


def _hash(comment: str) -> str:
    return sha256(comment.encode()).hexdigest()[:12]


def _roles(column: Column, profile: Profile, sources: frozenset[str]) -> list[str]:
    """What the profile takes the field for, or, of an object, the paths within it that have no column."""
    found = [_of_time(number, time) for number, time in enumerate(profile.event_time) if time.field == column.source]
    found += [_of_role(role) for role, path in profile.roles.items() if path == column.source and role != "key"]
    if column.source in profile.identity:
        is_key = profile.is_key and profile.identity == (column.source,)
        part = f"part of the {'key' if profile.is_key else 'identity'}"
        found.append("the key, one row for each" if is_key else part)
    if column.kind is Kind.JSON:
        inner = [*((time.field, "event time") for time in profile.event_time)]
        inner += [(path, role) for role, path in profile.roles.items()]
        # The setting identityFields may name what has no role.
        inner += [(path, "part of the identity") for path in profile.identity if path not in dict(inner)]
        inside = [(path, role) for path, role in inner if path.startswith(f"{column.source}.")]
        found += [f"{role} in {_name(path)}" for path, role in inside if path not in sources]
    return found


def _of_time(number: int, time: EventTime) -> str:
    later = " where the fields before it have none" if number else ""
    if time.format in _EPOCHS:
        return f"event time{later}, as {time.format.value}, which _event_at has in UTC"
    what = f"{time.format.value}{' dates' if time.is_date else ''}"
    return f"event time{later}, as {what}, in {time.time_zone} without an offset; _event_at has it in UTC"


def _of_role(role: str) -> str:
    kind = "who" if role in WHO else "what" if role in WHAT else ""
    return f"{kind} ({role})" if kind else role


def _is_personal(source: str, known: Meaning | None, profile: Profile) -> bool:
    if any(profile.roles.get(role) == source for role in WHO):
        return True
    if known is not None:
        return known.is_personal
    hint = field_names.role(source)
    return hint is not None and hint[0] in WHO


def _hint(source: str, profile: Profile) -> str:
    """What a field's role, or else its name, says of its meaning."""
    for role, path in profile.roles.items():
        if path == source and role != "key":
            return f"The {role}"
    if source in profile.times:
        return "When the event happened"
    if hint := field_names.role(source):
        return f"By its name: the {hint[0].value}"
    if field_names.words(source)[-1:] and field_names.words(source)[-1] in _TIMES:
        return "By its name: a time"
    return "By its name: a title" if field_names.is_title(source) else ""


def _unit(column: Column, known: Meaning | None) -> str:
    if known is not None and (found := _UNITS.get((known.unit, column.kind))):
        return found
    if known is None and column.kind in (Kind.BIGINT, Kind.DOUBLE):
        return "A number of no documented unit"
    if column.kind is Kind.ID and field_names.is_id(column.source):
        return "An id, as text"
    return _KINDS.get(column.kind, "")


def _name(source: str) -> str:
    """A field's name without what may say of whom it is: an export may use addresses as names."""
    return _cut(quoted(source), _LONGEST_NAME)


def _cut(text: str, longest: int) -> str:
    """The text, with an ellipsis where it has more bytes in UTF-8."""
    if len(text.encode()) <= longest:
        return text
    return text.encode()[: longest - 3].decode(errors="ignore") + "…"
