"""The export types and periods of Symplify: the one place that names them.

Sources: the vendor's published documentation of `POST /batches/exports/statistics` for types and periods; the
field names of records come from the vendor's webhooks and from public clients, so they are likely but not certain.
"""

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum


class UnknownName(ValueError):
    """An export type or a period that Symplify does not have."""


class Nature(StrEnum):
    """What the records of an export type are."""

    EVENTS = "events"
    ENTITIES = "entities"
    """Named things with a latest state."""
    EITHER = "either"
    """The vendor's names leave it open, so the records decide."""


@dataclass(frozen=True)
class ExportType:
    """One kind of statistics that Symplify exports.

    What a table takes the fields of its records for is decided by these (`lake/profile/`), not here.
    """

    name: str
    nature: Nature = Nature.EVENTS

    @property
    def table(self) -> str:
        """The table's name in the catalog, for example `hard_bounces`."""
        return self.name.lower()

    @property
    def is_event(self) -> bool:
        """Whether its records are certainly events."""
        return self.nature is Nature.EVENTS


EXPORT_TYPES: dict[str, ExportType] = {
    export.name: export
    for export in (
        ExportType("LISTS", Nature.ENTITIES),
        ExportType("CAMPAIGNS", Nature.ENTITIES),
        # In the vendor's own objects, a message is one mail to one person.
        ExportType("MESSAGES", Nature.EITHER),
        ExportType("PROJECTS", Nature.ENTITIES),
        ExportType("SENT"),
        ExportType("OPENS"),
        ExportType("CLICKS"),
        ExportType("HARD_BOUNCES"),
        ExportType("SOFT_BOUNCES"),
        ExportType("OPTOUTS"),
    )
}
"""All export types by name, in the order of a night: entities first, then events."""

_ALIASES = {"OPENED": "OPENS"}
"""One version of the vendor's example sends OPENED, which its own list does not have."""


class Period(StrEnum):
    """What an export covers, counted back from the order."""

    TODAY = "TODAY"
    LAST_DAY = "LAST_DAY"
    LAST_3_DAYS = "LAST_3_DAYS"
    LAST_WEEK = "LAST_WEEK"
    LAST_2_WEEKS = "LAST_2_WEEKS"

    @property
    def named(self) -> timedelta:
        """How far back the period reaches by its name."""
        return timedelta(days=_NAMED_DAYS[self])

    @property
    def trusted(self) -> timedelta:
        """How far back the period surely reaches: a day less than its name says, since its start is undocumented."""
        return timedelta(days=_NAMED_DAYS[self] - 1)


_NAMED_DAYS = {
    Period.TODAY: 1,
    Period.LAST_DAY: 1,
    Period.LAST_3_DAYS: 3,
    Period.LAST_WEEK: 7,
    Period.LAST_2_WEEKS: 14,
}


class TimeFormat(StrEnum):
    """The formats of times, as the setting `eventTime` and a table's profile name them."""

    ISO_8601 = "iso-8601"
    """With `T` or a blank, a fraction or none, an offset in any spelling or none, compact, or a date alone."""
    EPOCH_SECONDS = "epoch-seconds"
    EPOCH_MILLISECONDS = "epoch-milliseconds"
    EPOCH_MICROSECONDS = "epoch-microseconds"
    EPOCH_NANOSECONDS = "epoch-nanoseconds"
    RFC_2822 = "rfc-2822"
    """`Mon, 23 Nov 2026 18:05:16 +0100`, with or without the weekday."""
    JAVA_DATE = "java-date"
    """`Mon Nov 23 18:05:16 CET 2026`: `Date.toString()` of Java, and `ctime` of C, which has no zone."""
    JAVA_ARRAY = "java-array"
    """`[2026,11,23,18,5,16,123000000]`, the last part in nanoseconds: Java's `LocalDateTime`, as Jackson writes it."""
    DOT_NET = "dot-net"
    """`/Date(1795457116000)/`."""
    DAY_FIRST = "day-first"
    """`23/11/2026 18:05` with slashes, dots or hyphens, 12 or 24 hours."""
    MONTH_FIRST = "month-first"
    """`11/23/2026 6:05 PM`, likewise."""


def export_type(name: str) -> ExportType:
    """Return the export type of that name or alias, in any case.

    Raises:
        UnknownName: Symplify has no such export type.
    """
    upper = name.strip().upper()
    found = EXPORT_TYPES.get(_ALIASES.get(upper, upper))
    if found is None:
        raise UnknownName(f"'{name[:100]}' is not an export type; Symplify has {', '.join(EXPORT_TYPES)}.")
    return found


def period(name: str) -> Period:
    """Return the period of that name, in any case.

    Raises:
        UnknownName: Symplify has no such period.
    """
    try:
        return Period(name.strip().upper())
    except ValueError:
        raise UnknownName(f"'{name[:100]}' is not a period; Symplify has {', '.join(Period)}.") from None
