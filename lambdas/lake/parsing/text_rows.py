"""SQL that types the texts of records: a value that fits its column stands there, any other is kept in `_rescued`.

The engine's own casts round and guess, so each is asked only where the text leaves it nothing to decide.
"""

import json

from lambdas.lake.column_types import RESCUED, Column, Kind
from lambdas.lake.engine import any_of
from lambdas.lake.parsing.layout import IDENTITY, REST, Layout
from lambdas.lake.parsing.texts import Lines
from lambdas.lake.profile.profile import EventTime
from lambdas.lake.profile.time_formats import instant, instant_of_number
from lambdas.lake.rows.staging import AT, Rows, first_of, rows_from
from lambdas.lake.sql import name, text

SCHEMA_CHANGED = "the schema changed"
"""The engine's error."""

_TIME = "time "
_TYPED = (Kind.BIGINT, Kind.DOUBLE, Kind.BOOLEAN)
# So many characters have at most as many digits as a double keeps.
_SAFE_DOUBLE = 15


def typed(rows: Rows, lines: Lines, *, is_final: bool) -> str:
    """SQL for the rows of lines.

    It raises `SCHEMA_CHANGED` where a column that is not frozen has a value of another kind, unless final.
    """
    layout = lines.layout
    paths = [*(column.source for column in layout.schema.stored), *layout.roles]
    texts = {path: _as_id(name(layout.text(path))) for path in paths}
    found = rows_from(rows, _source(rows, lines), texts, name(REST), name(IDENTITY))
    new = [column for column in layout.schema.columns if column.source not in rows.schema.frozen]
    other = any_of(_is_other(column, layout) for column in new)
    return found if is_final else f"{found} WHERE CASE WHEN {other} THEN error({text(SCHEMA_CHANGED)}) ELSE true END"


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
        f"SELECT *, {first_of(instants)} AS {AT}, '{{' || {members} || '}}' AS {RESCUED} "
        f"FROM (SELECT {', '.join(['*', *values, *times])} FROM {lines.source})"
    )


def _value(column: Column, layout: Layout) -> str:
    """The value of a column; null where the text does not fit it."""
    held = _text(column, layout)
    match column.kind:
        case Kind.BIGINT:
            return (
                f"CASE WHEN NOT ({_has_marks(held)}) THEN TRY_CAST({held} AS BIGINT) "
                rf"WHEN regexp_full_match({held}, '-?[0-9]+(\.0+|[eE][+]?[0-9]{{1,2}})') "
                f"THEN TRY_CAST({_whole(held)} AS BIGINT) END"
            )
        case Kind.DOUBLE:
            # A rounded fraction will do, and is rescued too; a rounded integer is another number (usually an id).
            number = f"TRY_CAST({held} AS DOUBLE)"
            is_kept = f"{_has_marks(held)} OR length({held}) <= {_SAFE_DOUBLE} OR {_is_exact(held, number)}"
            # The integer -0 has no sign.
            return f"CASE WHEN {held} = '-0' THEN 0.0 WHEN ({is_kept}) AND isfinite({number}) THEN {number} END"
        case Kind.BOOLEAN:
            return f"CASE {held} WHEN 'true' THEN true WHEN 'false' THEN false END"
        case Kind.JSON:
            return held
        case Kind.ID:
            return _as_id(held)
    return _unquoted(held)


def _unfit(column: Column, layout: Layout) -> str:
    """A value that does not fit its column, as a member of `_rescued`."""
    held, value = _text(column, layout), name(column.name)
    member = f"{text(f'{json.dumps(column.source)}:')} || {held}"
    if column.kind is Kind.DOUBLE:
        is_plain = f"length({held}) <= {_SAFE_DOUBLE} AND NOT {_has_exponent(held)}"
        rounded = f"CASE WHEN {is_plain} OR {_is_exact(held, value)} THEN NULL ELSE {member} END"
        return f"CASE WHEN {value} IS NULL THEN {member} ELSE {rounded} END"
    return f"CASE WHEN {value} IS NULL THEN {member} END"


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
            return f"(CASE WHEN {value} IS NULL THEN {held} IS NOT NULL ELSE {_has_marks(held)} END)"
        case Kind.DOUBLE:
            is_long_whole = f"length({held}) > {_SAFE_DOUBLE} AND NOT ({_has_marks(held)})"
            return f"(CASE WHEN {value} IS NULL THEN {held} IS NOT NULL ELSE {is_long_whole} END)"
        case Kind.BOOLEAN:
            return f"({value} IS NULL AND {held} IS NOT NULL)"
        case Kind.JSON:
            return f"NOT ({_is_nested(held)})"
    return "false"


def _unquoted(held: str) -> str:
    """A string's content; any other value's text. Texts of strings begin before `-`, all others later."""
    return (
        rf"CASE WHEN {held} >= '-' THEN {held} WHEN contains({held}, '\') THEN {held}::JSON ->> '$' "
        f"ELSE substring({held}, 2, length({held}) - 2) END"
    )


def _is_nested(held: str) -> str:
    return f"({held} >= '{{' OR starts_with({held}, '['))"


def _as_id(held: str) -> str:
    """A text as it identifies: strings by their content, and 7.0 like 7."""
    return (
        f"CASE WHEN {held} < '-' THEN {_unquoted(held)} WHEN contains({held}, '.') THEN {_whole(held)} ELSE {held} END"
    )


def _whole(held: str) -> str:
    """A number without a fraction of zeros; any other text as it is."""
    return rf"regexp_replace({held}, '^(-?[0-9]+)\.0+$', '\1')"


def _is_exact(held: str, number: str) -> str:
    """Whether a double is the whole number of a text, or prints the digits of its fraction in one of several ways."""
    printed = (f"{number}::VARCHAR", f"format('{{:.15e}}', {number})", f"format('{{:.16e}}', {number})")
    return (
        f"CASE WHEN {_has_marks(held)} THEN {_digits(held)} IN ({', '.join(map(_digits, printed))}) "
        f"ELSE coalesce(TRY_CAST({held} AS HUGEINT) = TRY_CAST({number} AS HUGEINT), false) END"
    )


def _digits(held: str) -> str:
    return f"trim(regexp_replace({held}, '[eE].*|[-.]', '', 'g'), '0')"


def _has_exponent(held: str) -> str:
    return f"(contains({held}, 'e') OR contains({held}, 'E'))"


def _has_marks(held: str) -> str:
    """Whether a number has a fraction or an exponent."""
    return f"contains({held}, '.') OR {_has_exponent(held)}"


def _text(column: Column, layout: Layout) -> str:
    return name(layout.text(column.source))
