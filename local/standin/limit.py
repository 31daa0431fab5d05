"""The rate limit: so many calls a minute, for the whole account."""

import threading
from datetime import datetime

from local.standin.clock import Clock


class RateLimit:
    """A bucket of `calls` tokens that fills again within `minute_seconds`; None is no limit."""

    def __init__(self, calls: int | None, minute_seconds: float, clock: Clock) -> None:
        self._calls = calls
        self._minute_seconds = minute_seconds
        self._clock = clock
        self._left = float(calls or 0)
        self._seen: datetime = clock()
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take a token for one call; False when there is none."""
        if self._calls is None:
            return True
        with self._lock:
            now = self._clock()
            passed = max(0.0, (now - self._seen).total_seconds())
            self._left = min(float(self._calls), self._left + passed * self._calls / self._minute_seconds)
            self._seen = now
            # A sum of parts of a minute may miss the whole by a rounding error.
            if self._left < 1 - 1e-9:
                return False
            self._left -= 1
            return True

    @property
    def sentence(self) -> str:
        """The text of a 429."""
        allowed = "one request" if self._calls == 1 else f"{self._calls} requests"
        return f"Too many requests: {allowed} per minute allowed for this customer."
