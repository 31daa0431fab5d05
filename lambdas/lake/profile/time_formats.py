"""Times as vendors write them: SQL that makes an instant of a field's text or number, whatever its format.

One reader takes every format that is unambiguous, so a vendor may change from one to another. Only whether the day or
the month comes first in 03/04/2026 has to be known.
"""

import re
from collections.abc import Mapping

from lambdas.lake.sql import text
from lambdas.vocabulary import TimeFormat

# Before, a time says "never" (0, 1970-01-01, 0000-00-00); after, its day has no name in every time zone.
_FIRST, _LAST = "TIMESTAMPTZ '1970-01-02 12:00:00+00'", "TIMESTAMPTZ '9999-12-30 00:00:00+00'"


# The magnitude of a number tells its unit: each covers 1978 to 2286. The years up to 9999 that a vendor writes for
# "never" would be the first ones of the next unit, 1970 to 1978.
_YEAR_10000 = 253_402_300_800
_UNITS = {
    TimeFormat.EPOCH_SECONDS: (10**8, 10**10 - 1, "* 1000000"),
    TimeFormat.EPOCH_MILLISECONDS: (_YEAR_10000, 10**13 - 1, "* 1000"),
    TimeFormat.EPOCH_MICROSECONDS: (_YEAR_10000 * 1000, 10**16 - 1, "* 1"),
    TimeFormat.EPOCH_NANOSECONDS: (_YEAR_10000 * 10**6, 9 * 10**18, "::HUGEINT // 1000"),
}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# Abbreviations are ambiguous in general; these are what Java and mail programs print for Europe and North America.
_ABBREVIATIONS = {
    "UTC": 0, "GMT": 0, "UT": 0, "Z": 0, "WET": 0, "WEST": 60, "BST": 60, "CET": 60, "MET": 60, "CEST": 120,
    "MEST": 120, "EET": 120, "EEST": 180, "MSK": 180, "EST": -300, "EDT": -240, "CST": -360, "CDT": -300,
    "MST": -420, "MDT": -360, "PST": -480, "PDT": -420,
}  # fmt: skip

_CLOCK = r"(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:[.,](?P<fraction>\d{1,9}))?)?"
_OFFSET = r"(?P<zone>Z|z|UTC|GMT|[+-]\d{2}(?::?\d{2})?)?"
_WEEKDAY, _MONTH = r"(?:[A-Za-z]{3,9},?\s+)", r"(?P<month>[A-Za-z]{3})[a-z]*\.?"
_DATE = r"(?P<{0}>\d{{1,2}})[./-](?P<{1}>\d{{1,2}})[./-](?P<year>\d{{4}})"
_TAIL = rf"(?:,?[T\s]+{_CLOCK}\s*(?P<half>[AaPp]\.?[Mm]\.?)?\s*{_OFFSET})?"
_PATTERNS = {
    TimeFormat.ISO_8601: (
        r"(?P<year>\d{4})-?(?P<month>\d{2})-?(?P<day>\d{2})(?:[Tt\s]*(?P<hour>\d{2}):?(?P<minute>\d{2})"
        rf"(?::?(?P<second>\d{{2}})(?:[.,](?P<fraction>\d{{1,9}}))?)?\s*{_OFFSET}(?:\[[^\]]*\])?)?"
    ),
    TimeFormat.RFC_2822: (
        rf"{_WEEKDAY}?(?P<day>\d{{1,2}})[\s-]+{_MONTH}[\s-]+(?P<year>\d{{4}}),?\s+{_CLOCK}"
        r"(?:\s*(?P<zone>[+-]\d{2}:?\d{2}|[A-Z]{1,4}))?(?:\s*\([^)]*\))?"
    ),
    TimeFormat.JAVA_DATE: (
        rf"{_WEEKDAY}{_MONTH}\s+(?P<day>\d{{1,2}})\s+{_CLOCK}(?:\s+(?P<zone>[A-Z]{{1,4}}|(?:GMT|UTC)?[+-]\d{{2}}:?\d{{2}}))?"
        r"\s+(?P<year>\d{4})"
    ),
    TimeFormat.JAVA_ARRAY: (
        r"\[\s*(?P<year>\d{4})\s*,\s*(?P<month>\d{1,2})\s*,\s*(?P<day>\d{1,2})\s*(?:,\s*(?P<hour>\d{1,2})\s*,"
        r"\s*(?P<minute>\d{1,2})\s*(?:,\s*(?P<second>\d{1,2})\s*(?:,\s*(?P<nanos>\d{1,9})\s*)?)?)?\]"
    ),
    TimeFormat.DAY_FIRST: _DATE.format("day", "month") + _TAIL,
    TimeFormat.MONTH_FIRST: _DATE.format("month", "day") + _TAIL,
}
# Of years in which no time says "never".
_USUAL = r"(197[1-9]|19[89]\d|2[01]\d\d)-\d\d-\d\d[T ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?(Z|[+-](0\d|1[0-4]):?\d\d)"
# Formats whose months and zones have names.
_NAMED = (TimeFormat.RFC_2822, TimeFormat.JAVA_DATE)
_DOT_NET = r"^\\?/Date\((-?\d{9,15})([+-]\d{4})?\)\\?/$"
_LOOKS = {
    **{
        unit: re.compile(looks)
        for unit, looks in (
            (TimeFormat.EPOCH_SECONDS, r"\d{9,10}([.]\d+)?"),
            (TimeFormat.EPOCH_MILLISECONDS, r"\d{12,13}([.]\d+)?"),
            (TimeFormat.EPOCH_MICROSECONDS, r"\d{15,16}"),
            (TimeFormat.EPOCH_NANOSECONDS, r"\d{18,19}"),
        )
    },
    **{name: re.compile(pattern) for name, pattern in _PATTERNS.items()},
    TimeFormat.DOT_NET: re.compile(_DOT_NET),
}
_MINUTE = 60 * 1_000_000  # in microseconds
# Wider offsets are no offsets; the widest in use are +14:00 and -12:00.
_WIDEST_OFFSET = 18 * 60


def instant(held: str, time_format: TimeFormat, time_zone: str) -> str:
    """SQL for the instant (`TIMESTAMPTZ`) in a text; null where it is no time, or says "never".

    ISO 8601 and numbers since 1970 are read whatever the format, since nothing else looks like them.
    `held` is SQL that costs nothing to repeat: a column. `time_zone` is that of texts without an offset: an hour that
    is there twice takes the earlier offset, one that is not there moves forward.
    """
    formats = dict.fromkeys((TimeFormat.EPOCH_SECONDS, TimeFormat.ISO_8601, time_format))
    return f"coalesce({', '.join([_plain(held), *(_found(held, one, time_zone) for one in formats)])})"


def instant_of_number(held: str) -> str:
    """SQL for the instant in a number since 1970, whose magnitude tells seconds from milli- and microseconds."""
    ranges = " ".join(
        f"WHEN {held} BETWEEN {least} AND {most} THEN make_timestamptz(round({held} {scaled})::BIGINT)"
        for least, most, scaled in _UNITS.values()
    )
    return f"CASE {ranges} END"


def instant_in(held: str, time_format: TimeFormat, time_zone: str) -> str:
    """SQL for the instant in a text of that format alone: evidence of what a field has."""
    found = _found(held, time_format, time_zone)
    return f"coalesce({_plain(held)}, {found})" if time_format is TimeFormat.ISO_8601 else found


def formats_of(value: str) -> set[TimeFormat]:
    """The formats that a text may be of, by its looks."""
    return {time_format for time_format, looks in _LOOKS.items() if looks.fullmatch(value.strip())}


def _found(held: str, time_format: TimeFormat, time_zone: str) -> str:
    match time_format:
        case _ if time_format in _UNITS:
            return _epoch(held)
        case TimeFormat.DOT_NET:
            return _dot_net(held)
    return _assembled(held, time_format, time_zone)


def has_no_offset(held: str) -> str:
    """SQL for whether a time's text names no offset from UTC, nor is a number since 1970."""
    looks = (
        r"(\d:?\d{2}([.,]\d+)?\s*([Zz]|[+-]\d{2}(:?\d{2})?)|[\d ](UT|[A-Z]{3,4})([+-]\d.*)?( \d{4})?)\W?([\[(].*)?$"
        r"|^(\d{9,13}|\d{15,19})(\.\d+)?$|^/"
    )
    # The usual form, which is found fast, has an offset.
    return f"CASE WHEN {_is_usual(held)} THEN false ELSE NOT regexp_matches({held}, {text(looks)}) END"


def _plain(held: str) -> str:
    """The usual ISO 8601 with an offset, several times as fast as by its parts."""
    # The engine also takes 'infinity', 'epoch' and years BC for times.
    return f"CASE WHEN {_is_usual(held)} THEN try_cast({held} AS TIMESTAMPTZ) END"


def _is_usual(held: str) -> str:
    return f"regexp_full_match({held}, {text(_USUAL)})"


def _epoch(held: str) -> str:
    number = f"try_cast({held} AS DECIMAL(38, 9))"
    return (
        rf"CASE WHEN regexp_full_match({held}, '\d{{9,19}}([.]\d+)?') THEN "
        f"{_bound(number, 'number', instant_of_number('number'))} END"
    )


def _dot_net(held: str) -> str:
    digits = f"regexp_extract({held}, {text(_DOT_NET)}, 1)"
    return f"CASE WHEN contains({held}, '/Date(') THEN make_timestamptz(try_cast({digits} AS BIGINT) * 1000) END"


def _usable(moment: str) -> str:
    return _bound(moment, "moment", f"CASE WHEN moment BETWEEN {_FIRST} AND {_LAST} THEN moment END")


def _bound(value: str, variable: str, body: str) -> str:
    """SQL that names a value, so that its text is not repeated: the engine plans long texts slowly."""
    return f"list_transform([{value}], lambda {variable}: {body})[1]"


def _assembled(held: str, time_format: TimeFormat, time_zone: str) -> str:
    """An instant from the parts that the format's pattern finds."""
    whole = text(rf"^\s*{_PATTERNS[time_format]}\s*$")
    groups = list(re.compile(_PATTERNS[time_format]).groupindex)
    is_named = time_format in _NAMED
    local = f"try_cast({_local(groups, is_named=is_named)} AS TIMESTAMP)"
    moment = _of_zone("local", time_zone)
    if "zone" in groups:
        abbreviations = _ABBREVIATIONS if is_named else {"Z": 0, "UTC": 0, "GMT": 0}
        moment = f"CASE WHEN part['zone'] = '' THEN {moment} ELSE {_of_offset('local', abbreviations)} END"
    found = _bound(f"regexp_extract({held}, {whole}, {groups})", "part", _bound(local, "local", _usable(moment)))
    return f"CASE WHEN regexp_matches({held}, {whole}) THEN {found} END"


def _local(groups: list[str], *, is_named: bool) -> str:
    """The date and the clock as the engine reads them; `is_named` when the month has a name."""

    def part(group: str) -> str:
        return f"coalesce(nullif(part['{group}'], ''), '0')" if group in groups else "'0'"

    month = f"list_position({list(_MONTHS)}, lower(part['month']))::VARCHAR" if is_named else "part['month']"
    hour = part("hour")
    if "half" in groups:
        half = "lower(part['half'][1:1])"
        hour = (
            f"CASE WHEN {half} = '' THEN {hour} WHEN try_cast({hour} AS INT) NOT BETWEEN 1 AND 12 THEN '99' "
            f"ELSE (try_cast({hour} AS INT) % 12 + CASE WHEN {half} = 'p' THEN 12 ELSE 0 END)::VARCHAR END"
        )
    fraction = f"lpad({part('nanos')}, 9, '0')" if "nanos" in groups else part("fraction")
    date = f"part['year'] || '-' || {month} || '-' || part['day']"
    clock = f"{hour} || ':' || {part('minute')} || ':' || {part('second')} || '.' || {fraction}[1:6]"
    return f"{date} || ' ' || {clock}"


def _of_offset(local: str, abbreviations: Mapping[str, int]) -> str:
    """The instant of a local time by its offset or abbreviation."""
    named = " ".join(f"WHEN '{name}' THEN {minutes}" for name, minutes in abbreviations.items())
    digits = "regexp_replace(part['zone'], '[^0-9]', '', 'g')"
    minutes = (
        f"CASE WHEN regexp_matches(part['zone'], '[+-]') THEN "
        f"CASE WHEN contains(part['zone'], '-') THEN -1 ELSE 1 END * "
        f"(try_cast({digits}[1:2] AS INT) * 60 + coalesce(try_cast(nullif({digits}[3:4], '') AS INT), 0)) "
        f"ELSE CASE upper(part['zone']) {named} END END"
    )
    return _bound(
        minutes,
        "minutes",
        f"CASE WHEN abs(minutes) <= {_WIDEST_OFFSET} "
        f"THEN make_timestamptz(epoch_us({local}) - minutes * {_MINUTE}::BIGINT) END",
    )


def _of_zone(local: str, time_zone: str) -> str:
    if time_zone == "UTC":
        return f"make_timestamptz(epoch_us({local}))"
    zone = text(time_zone)
    earlier = "zoned - INTERVAL 1 HOUR"
    is_twice = f"timezone({zone}, {earlier}) = {local}"
    return _bound(f"timezone({zone}, {local})", "zoned", f"CASE WHEN {is_twice} THEN {earlier} ELSE zoned END")
