"""The time span of a period. Symplify documents neither its zone nor whether days are calendar days."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from lambdas.vocabulary import Period


class Windows(StrEnum):
    """How LAST_DAY, LAST_3_DAYS, LAST_WEEK and LAST_2_WEEKS count back from the order.

    TODAY runs from midnight UTC to the order either way.
    """

    ROLLING = "rolling"
    """Multiples of 24 hours that end with the order (the default)."""
    CALENDAR = "calendar"
    """Whole days in UTC, the last one yesterday."""


_DAYS = {Period.LAST_DAY: 1, Period.LAST_3_DAYS: 3, Period.LAST_WEEK: 7, Period.LAST_2_WEEKS: 14}


@dataclass(frozen=True)
class Window:
    """From `start` to before `end`, in milliseconds since 1970."""

    start: int
    end: int


def window(period: Period, ordered_at: datetime, windows: Windows) -> Window:
    """The span of event times that an export covers which was ordered at an instant."""
    now = ordered_at.astimezone(UTC)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if period is Period.TODAY:
        return Window(milliseconds(midnight), milliseconds(now))
    end = now if windows is Windows.ROLLING else midnight
    return Window(milliseconds(end - timedelta(days=_DAYS[period])), milliseconds(end))


def milliseconds(instant: datetime) -> int:
    """Milliseconds since 1970, without rounding through a float."""
    return (instant - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(milliseconds=1)
