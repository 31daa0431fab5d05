"""Athena's answers as the page shows them: numbers a day, and what became of the latest campaigns."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from lambdas.lake.views.metrics import COUNTS, RATES
from lambdas.lake.views.recent import NUMBERS, PAGE_DAYS, UNKNOWN_SENDS, WEEK, WEEK_BEFORE
from lambdas.lake.views.sources import EVENT_TYPES, SENT

Row = Mapping[str, str | None]

SERIES: Mapping[str, tuple[str, ...]] = {
    "sent": (SENT,),
    "opens": ("open",),
    "clicks": ("click",),
    "bounces": ("hard_bounce", "soft_bounce"),
    "opt-outs": ("optout",),
}
"""What is drawn, and the types of events that it counts: all of them, on the day on which they happened."""
EMAIL = "email"

_TEXTS = ("campaign", "campaign_name", "channel", "first_dt", "last_dt", "why_null")


@dataclass(frozen=True)
class Series:
    """A number for each of `PAGE_DAYS` days, the last of which is yesterday; None for days that the lake lacks."""

    name: str
    values: tuple[int | None, ...]

    @property
    def is_known(self) -> bool:
        """Whether the lake has anything of it."""
        return any(value is not None for value in self.values)

    @property
    def total(self) -> int:
        """Of all days."""
        return sum(value or 0 for value in self.values)


@dataclass(frozen=True)
class Channel:
    """What happened over one channel."""

    name: str
    series: tuple[Series, ...]


@dataclass(frozen=True)
class Campaign:
    """What became of the sends of a campaign; numbers are None where they cannot be known."""

    texts: Mapping[str, str]
    counts: Mapping[str, int | None]
    rates: Mapping[str, float | None]


def shown_days(today: date) -> tuple[date, ...]:
    """The days of the page."""
    return tuple(today - timedelta(days=ago) for ago in range(PAGE_DAYS, 0, -1))


def channels(
    rows: Sequence[Row], tables: Collection[str], today: date, first_day: str | None = None
) -> tuple[Channel, ...]:
    """The channels, e-mail first; `rows` answer `day_query`, `tables` are those of the lake, which begins on a day."""
    names = sorted({EMAIL, *(str(row["channel"]) for row in rows)}, key=lambda name: (name != EMAIL, name))
    return tuple(
        Channel(
            name, tuple(_series(title, _of(name, rows), tables, shown_days(today), first_day or "") for title in SERIES)
        )
        for name in names
    )


def found_share(rows: Iterable[Row]) -> float | None:
    """The share of events, without the sends, that find their send; None where there are none."""
    events = [row for row in rows if row["event_type"] != SENT]
    number = sum(int(row["number"] or 0) for row in events)
    return 1 - sum(int(row["orphans"] or 0) for row in events) / number if number else None


def weeks(rows: Iterable[Row]) -> dict[str, tuple[int | None, int | None]]:
    """Each of `NUMBERS` with that of the week before; `rows` answer `week_query`."""
    by_week = {row["week"]: row for row in rows}
    this, before = (by_week.get(week, {}) for week in (WEEK, WEEK_BEFORE))
    return {number: (_count(this.get(number)), _count(before.get(number))) for number in NUMBERS}


def unknown_sends(rows: Iterable[Row]) -> int:
    """How many of the last week's sends lack some of the numbers of `weeks`."""
    return sum(int(row.get(UNKNOWN_SENDS) or 0) for row in rows if row["week"] == WEEK)


def campaigns(rows: Iterable[Row]) -> tuple[Campaign, ...]:
    """The campaigns in their order; `rows` answer `campaign_query`."""
    return tuple(
        Campaign(
            {name: row.get(name) or "" for name in _TEXTS},
            {one.name: _count(row.get(one.name)) for one in COUNTS},
            {one.name: None if row.get(one.name) is None else float(str(row[one.name])) for one in RATES},
        )
        for row in rows
    )


def _series(title: str, rows: Sequence[Row], tables: Collection[str], days: Sequence[date], first_day: str) -> Series:
    if not any(EVENT_TYPES[event] in tables for event in SERIES[title]):
        return Series(title, (None,) * len(days))
    counts: dict[str | None, int] = {}
    for row in rows:
        if row["event_type"] in SERIES[title]:
            counts[row["dt"]] = counts.get(row["dt"], 0) + int(row["number"] or 0)
    return Series(title, tuple(counts.get(str(day), 0) if str(day) >= first_day else None for day in days))


def _of(channel: str, rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["channel"] == channel]


def _count(value: str | None) -> int | None:
    return None if value is None else int(value)
