"""SQL that types the texts of records: a value that fits its column stands there, any other is kept in `_rescued`.

The engine's own casts round and guess, so each is asked only where the text leaves it nothing to decide. What takes
exact arithmetic or the inside of an object is left to Python (`needs_python`): rare numbers, and identities of them.
"""

import json

from lambdas.lake.column_types import RESCUED, Column, Kind
from lambdas.lake.engine import any_of, name, text
from lambdas.lake.parsing.layout import IDENTITY, OWN, REST, Layout
from lambdas.lake.parsing.texts import Lines
from lambdas.lake.profile.profile import EventTime, IdentityKind
from lambdas.lake.profile.time_formats import instant, instant_of_number
from lambdas.lake.rows.staging import AT, NO_VALUE, Rows, component, first_of, identity_columns, rows_from

NEEDS_PYTHON, SCHEMA_CHANGED = "records need Python", "the schema changed"
"""The engine's errors."""

_TIME = "time "
_TYPED = (Kind.BIGINT, Kind.DOUBLE, Kind.BOOLEAN)
_WORDS = "('true', 'false')"
# So many characters have at most as many digits as a double keeps.
_SAFE_DOUBLE = 15
# As `odd_records.py`: a whole number of more digits is spelled otherwise.
_LONGEST_WHOLE = 100


def typed(rows: Rows, lines: Lines, *, is_final: bool) -> str:
    """SQL for the rows of lines.

    It raises `NEEDS_PYTHON`, or `SCHEMA_CHANGED` where a column that is not frozen has another kind, unless final.
    """
    layout = lines.layout
    new = () if is_final else [column for column in layout.columns if column.source not in rows.schema.frozen]
    return (
        rows_from(rows, _source(rows, lines), own=_own(layout), identity_hash=_identity_hash(rows, layout))
        + f" WHERE CASE WHEN {any_of(_is_other(column, layout) for column in new)} THEN error({text(SCHEMA_CHANGED)}) "
        f"WHEN {_needs_python(rows, layout)} THEN error({text(NEEDS_PYTHON)}) ELSE true END"
    )


def odd_numbers(rows: Rows, lines: Lines) -> str:
    """SQL for the numbers of the records that need Python, from 0 on. A wrong one would be an error of the next try."""
    numbered = f"SELECT *, row_number() OVER () - 1 AS number FROM ({_source(rows, lines)})"
    return f"SELECT number FROM ({numbered}) WHERE {_needs_python(rows, lines.layout)}"


def _source(rows: Rows, lines: Lines) -> str:
    """The columns, with the texts that they come from, the event's instant, and what is rescued."""
    layout = lines.layout
    values = [f"{_value(column, layout)} AS {name(column.name)}" for column in rows.schema.stored]
    times = [
        f"{_unquoted(name(layout.text(one.field)))} AS {name(f'{_TIME}{number}')}"
        for number, one in enumerate(rows.profile.event_time)
    ]
    instants = [_instant(rows, one, number) for number, one in enumerate(rows.profile.event_time)]
    rescued = [_unfit(column, layout) for column in rows.schema.stored if column.kind in _TYPED]
    members = f"nullif(concat_ws(',', {', '.join([*rescued, name(REST)])}), '')"
    return (
        f"SELECT *, {first_of(instants)} AS {AT}, "
        f"'{{' || {members} || '}}' AS {RESCUED} "
        f"FROM (SELECT {', '.join(['*', *values, *times])} FROM {lines.source})"
    )


def _value(column: Column, layout: Layout) -> str:
    """The value of a column; null where the text does not fit it."""
    held = _text(column, layout)
    match column.kind:
        case Kind.BIGINT:
            return (
                f"CASE WHEN NOT ({_has_marks(held)}) THEN TRY_CAST({held} AS BIGINT) WHEN "
                rf"regexp_full_match({held}, '-?[0-9]+\.0+') THEN TRY_CAST(split_part({held}, '.', 1) AS BIGINT) END"
            )
        case Kind.DOUBLE:
            # The integer -0 has no sign.
            return f"CASE WHEN {held} = '-0' THEN 0.0::DOUBLE ELSE TRY_CAST({held} AS DOUBLE) END"
        case Kind.BOOLEAN:
            return f"CASE {held} WHEN 'true' THEN true WHEN 'false' THEN false END"
        case Kind.JSON:
            return held
    return _unquoted(held)


def _unfit(column: Column, layout: Layout) -> str:
    """A value that does not fit its column, as a member of `_rescued`."""
    member = f"{text(f'{json.dumps(column.source)}:')} || {_text(column, layout)}"
    return f"CASE WHEN {name(column.name)} IS NULL THEN {member} END"


def _instant(rows: Rows, time: EventTime, number: int) -> str:
    """The instant in a field or path."""
    column = rows.schema.by_source.get(time.field)
    found = instant(name(f"{_TIME}{number}"), time.format, time.time_zone)
    if column is not None and column.kind in (Kind.BIGINT, Kind.DOUBLE):
        value = name(column.name)
        return f"CASE WHEN {value} IS NULL THEN {found} ELSE {instant_of_number(value)} END"
    return found


def _is_other(column: Column, layout: Layout) -> str:
    """Whether a value would change the kind of its column; may be a false alarm."""
    held, value = _text(column, layout), name(column.name)
    match column.kind:
        case Kind.NULL:
            return f"{held} IS NOT NULL"
        case Kind.BIGINT:
            return f"(CASE WHEN {value} IS NULL THEN {held} IS NOT NULL ELSE contains({held}, '.') END)"
        case Kind.DOUBLE:
            is_long_whole = f"length({held}) > {_SAFE_DOUBLE} AND NOT ({_has_marks(held)})"
            return f"(CASE WHEN {value} IS NULL THEN {held} IS NOT NULL ELSE {is_long_whole} END)"
        case Kind.BOOLEAN:
            return f"({value} IS NULL AND {held} IS NOT NULL)"
        case Kind.JSON:
            return f"NOT ({_is_nested(held)})"
    return "false"


def _needs_python(rows: Rows, layout: Layout) -> str:
    """Whether a record's values or identity take Python. Cases, since the engine evaluates all of an OR."""
    identity = [name(layout.text(path)) for path in rows.profile.identity]
    stored = layout.schema.stored
    texts = ", ".join(_text(column, layout) for column in stored)
    match rows.profile.kind:
        case IdentityKind.NONE:
            takes_all = "true"
        case IdentityKind.KEY:
            takes_all = f"coalesce({', '.join(identity)}) IS NULL"
        case _:
            takes_all = f"{AT} IS NULL"
    return (
        f"(CASE WHEN {name(OWN)} IS NOT NULL THEN false WHEN {any_of(_is_rare(column, layout) for column in stored)} "
        f"OR {any_of(map(_is_complex, identity))} THEN true "
        f"WHEN {takes_all} THEN list_bool_or(list_transform([{texts}], lambda held: {_is_complex('held')})) END)"
    )


def _is_rare(column: Column, layout: Layout) -> str:
    """Whether exact arithmetic decides if a text fits its column."""
    held, value = _text(column, layout), name(column.name)
    match column.kind:
        case Kind.BIGINT:
            return rf"(CASE WHEN {value} IS NULL THEN regexp_matches({held}, '^-?[0-9.]+[eE]') END)"
        case Kind.DOUBLE:
            is_short = f"length({held}) <= {_SAFE_DOUBLE} AND NOT {_has_exponent(held)}"
            is_printed = f"coalesce({value}::VARCHAR = {held}, false)"
            return f"(CASE WHEN {_is_number(held)} THEN NOT (CASE WHEN {is_short} THEN true ELSE {is_printed} END) END)"
        case Kind.ID:
            return f"(CASE WHEN {_is_number(held)} THEN {_has_marks(held)} OR {held} = '-0' END)"
    return "false"


def _own(layout: Layout) -> str:
    """The hash of all fields, as `odd_records.py` makes it."""
    parts = [
        f"{text(component(column.source))} || {_component_of(column, layout)}"
        for column in sorted(layout.schema.stored, key=lambda column: column.source)
    ]
    return f"coalesce({name(OWN)}, md5(concat_ws('|', {', '.join(parts or [text('')])})))"


def _identity_hash(rows: Rows, layout: Layout) -> str:
    """The hash of the identity where its columns do not suffice; null where they do."""
    profile = rows.profile
    held = [name(layout.text(path)) for path in profile.identity]
    parts = [f"coalesce({_component(one, _unquoted(one))}, '{NO_VALUE}')" for one in held]
    found = f"md5(concat_ws('|', {', '.join(parts or [text('')])}))"
    if identity_columns(profile, rows.schema):
        # Strings and whole numbers are in the columns as they are; a word would be like a string.
        found = f"CASE WHEN {any_of(f'{one} IN {_WORDS}' for one in held)} THEN {found} END"
    if profile.is_key:
        found = f"CASE WHEN coalesce({', '.join(['NULL', *held])}) IS NULL THEN {_own(layout)} ELSE {found} END"
    # An odd record whose columns suffice has none either.
    return f"CASE WHEN {name(OWN)} IS NULL THEN {found} ELSE {name(IDENTITY)} END"


def _component_of(column: Column, layout: Layout) -> str:
    held = _text(column, layout)
    return _component(held, _unquoted(held) if column.kind in _TYPED else name(column.name))


def _component(held: str, value: str) -> str:
    """A text's component of an identity, unless it is complex; null without a value. `value` is its content."""
    return f"CASE WHEN {held} IN {_WORDS} THEN 'b' || {held} ELSE 's' || length({value}) || ':' || {value} END"


def _is_complex(held: str) -> str:
    """Whether Python makes a text's component of an identity: of nested values, and of numbers not plain and whole."""
    odd_number = f"{_has_marks(held)} OR {held} = '-0' OR length({held}) > {_LONGEST_WHOLE}"
    return f"(CASE WHEN {held} >= '-' THEN {_is_nested(held)} OR ({_is_number(held)} AND ({odd_number})) END)"


def _unquoted(held: str) -> str:
    """A string's content; any other value's text. Texts of strings begin before `-`, all others later."""
    return (
        rf"CASE WHEN {held} >= '-' THEN {held} WHEN contains({held}, '\') THEN {held}::JSON ->> '$' "
        f"ELSE substring({held}, 2, length({held}) - 2) END"
    )


def _is_nested(held: str) -> str:
    return f"({held} >= '{{' OR starts_with({held}, '['))"


def _is_number(held: str) -> str:
    return f"({held} >= '-' AND {held} < ':')"


def _has_exponent(held: str) -> str:
    return f"(contains({held}, 'e') OR contains({held}, 'E'))"


def _has_marks(held: str) -> str:
    """Whether a number has a fraction or an exponent."""
    return f"contains({held}, '.') OR {_has_exponent(held)}"


def _text(column: Column, layout: Layout) -> str:
    return name(layout.text(column.source))
