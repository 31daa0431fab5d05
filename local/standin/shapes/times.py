"""How times are read from the stand-in's records, and written in the formats of a shape."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from local.standin.periods import milliseconds
from local.standin.shapes.definition import BadShape, Field

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _iso_z(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


_EPOCHS: Mapping[str, Callable[[int], Any]] = {
    "epochSeconds": lambda at: at // 1000,
    "epochFraction": lambda at: at / 1000,
    "epochMilliseconds": lambda at: at,
    "epochMicroseconds": lambda at: at * 1000,
}
_TEXTS: Mapping[str, Callable[[datetime], Any]] = {
    "isoOffset": lambda at: at.isoformat(timespec="milliseconds"),
    "isoZ": _iso_z,
    "isoNaive": lambda at: at.replace(tzinfo=None).isoformat(timespec="milliseconds"),
    "rfc2822": format_datetime,
    "array": lambda at: [at.year, at.month, at.day, at.hour, at.minute, at.second],
    "dateObject": lambda at: {"$date": _iso_z(at)},
    "slashDate": lambda at: f"/Date({milliseconds(at)})/",
}
# Names of days and months are English as long as no locale is set, which the stand-in never does.
_PATTERNS = {
    "isoBlank": "%Y-%m-%d %H:%M:%S",
    "isoDate": "%Y-%m-%d",
    "java": "%a %b %d %H:%M:%S %Z %Y",
    "dayFirst": "%d/%m/%Y %H:%M:%S",
    "dayFirst12": "%d/%m/%Y %I:%M:%S %p",
    "monthFirst": "%m/%d/%Y %H:%M:%S",
    "monthFirst12": "%m/%d/%Y %I:%M:%S %p",
}

FORMATS = (*_EPOCHS, *_TEXTS, *_PATTERNS)
"""The names of the formats; a pattern of `strftime` is one more."""


def rewriter(field: Field) -> Callable[[Any], Any] | None:
    """A function from a record's time to what the field has; None where the field is not taken for a time.

    Raises:
        BadShape: there is no such format or zone, or a zone without a format.
    """
    shift = round(field.shift_seconds * 1000)
    zone = _zone(field.time_zone)
    if field.time is None:
        if field.time_zone != "UTC":
            raise BadShape("timeZone is for a field with time")
        return (lambda value: _shifted(value, shift)) if shift else None
    write, never = _writer(field.time, zone)

    def rewrite(value: Any) -> Any:
        at = instant(value)
        return never if at is None else write(at + shift)

    return rewrite


def instant(value: object) -> int | None:
    """The instant of a record's time, in milliseconds since 1970; None says "never".

    Raises:
        BadShape: it is no time.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        return value or None
    try:
        return milliseconds(datetime.fromisoformat(str(value)))
    except (ValueError, TypeError):
        raise BadShape(f"'{value}' is no time") from None


def _writer(name: str, zone: ZoneInfo) -> tuple[Callable[[int], Any], int | None]:
    """The function that writes an instant, and what stands for "never"."""
    if name in _EPOCHS:
        return _EPOCHS[name], 0
    if name in _TEXTS:
        write = _TEXTS[name]
        return (lambda at: write(_local(at, zone))), None
    if name not in _PATTERNS and "%" not in name:
        raise BadShape(f"there is no format '{name}' of times; there are {', '.join(FORMATS)}, and patterns with %")
    pattern = _PATTERNS.get(name, name)
    return (lambda at: _local(at, zone).strftime(pattern)), None


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadShape(f"'{name}' is no IANA time zone such as Europe/Stockholm") from None


def _local(at: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(milliseconds=at)).astimezone(zone)


def _shifted(value: Any, shift: int) -> Any:
    """The time in its own format, moved; a "never" stays."""
    at = instant(value)
    if at is None or isinstance(value, int):
        return value if at is None else at + shift
    moved = datetime.fromisoformat(value) + timedelta(milliseconds=shift)
    return moved.isoformat(timespec="milliseconds")
