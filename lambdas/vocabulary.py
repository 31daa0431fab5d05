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

    `key`, `candidates` and `event_time` are the fields that the vendor's published records suggest; they are hints.
    What a table takes its fields for is decided by its records (`lake/profile/`).
    `texts` are fields whose column is text even if the first export has only numbers there.
    """

    name: str
    key: str
    candidates: tuple[str, ...] = ()
    event_time: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    nature: Nature = Nature.EVENTS

    @property
    def table(self) -> str:
        """The table's name in the catalog, for example `hard_bounces`."""
        return self.name.lower()

    @property
    def is_event(self) -> bool:
        """Whether its records are certainly events."""
        return self.nature is Nature.EVENTS


_CONTEXT_IDS = ("contactId", "carmaContactId", "campaignId", "messageId", "listId", "projectId", "channel")
# A client's own id of a contact, which may be any text even when the first ones look like numbers.
_TEXTS = ("contactId",)


def _event(name: str, *event_time: str, extra: tuple[str, ...] = ()) -> ExportType:
    return ExportType(
        name,
        key="eventId",
        candidates=(*_CONTEXT_IDS, *extra),
        event_time=(*event_time, "timestamp"),
        texts=_TEXTS,
    )


def _entity(name: str, key: str, nature: Nature = Nature.ENTITIES) -> ExportType:
    return ExportType(name, key, texts=_TEXTS, nature=nature)


EXPORT_TYPES: dict[str, ExportType] = {
    export.name: export
    for export in (
        _entity("LISTS", "listId"),
        _entity("CAMPAIGNS", "campaignId"),
        # In the vendor's own objects, a message is one mail to one person.
        _entity("MESSAGES", "messageId", Nature.EITHER),
        _entity("PROJECTS", "projectId"),
        _event("SENT", "sentTimestamp"),
        _event("OPENS"),
        _event("CLICKS", "clickTimestamp", extra=("linkTarget",)),
        _event("HARD_BOUNCES"),
        _event("SOFT_BOUNCES"),
        _event("OPTOUTS"),
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
