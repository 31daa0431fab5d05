"""The stand-in's clock, which periods, the progress of batches, the life of links and the rate limit follow."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present instant, with a time zone."""


def real_clock() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def clock_from(start: datetime) -> Clock:
    """A clock that starts at `start` and runs."""
    shift = start - real_clock()
    return lambda: real_clock() + shift


class ManualClock:
    """A clock that moves only when it is set or advanced."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return self._now

    def set(self, now: datetime) -> None:
        """Set the clock."""
        with self._lock:
            self._now = now

    def advance(self, seconds: float) -> None:
        """Move forward by seconds."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
