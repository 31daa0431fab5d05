"""The stand-in's "now", which periods, the progress of batches, the life of links and the rate limit all follow."""

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

Clock = Callable[[], datetime]
"""Returns the present instant, with a time zone."""


def real_clock() -> datetime:
    """The time of this machine, in UTC."""
    return datetime.now(UTC)


def clock_from(start: datetime) -> Clock:
    """A clock that shows `start` now and runs on from there."""
    shift = start - real_clock()
    return lambda: real_clock() + shift


class ManualClock:
    """A clock that stands still until it is set or advanced."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._lock = threading.Lock()

    def __call__(self) -> datetime:
        with self._lock:
            return self._now

    def set(self, now: datetime) -> None:
        """Show another instant from now on."""
        with self._lock:
            self._now = now

    def advance(self, seconds: float) -> None:
        """Move forward by seconds."""
        with self._lock:
            self._now += timedelta(seconds=seconds)
