"""The window: the span of time in which the events of an export may lie, by its order."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from lambdas.vocabulary import Period

# Weeks may be calendar weeks, and no period's start is documented.
_SLACK = timedelta(days=7)
# Clocks differ, and an event may happen while the export is made.
_LATE = timedelta(days=1)


@dataclass(frozen=True)
class Window:
    """The span of time that an export was ordered for, with slack."""

    start: datetime
    end: datetime

    @property
    def named(self) -> "Window":
        """Without the slack."""
        return Window(self.start + _SLACK, self.end - _LATE)


def ordered_window(period: Period, ordered_at: datetime) -> Window:
    """The span in which the events of an export may lie."""
    return Window(ordered_at - period.named - _SLACK, ordered_at + _LATE)
