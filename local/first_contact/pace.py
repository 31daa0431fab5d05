"""One call at a time, with waits: how a stranger asks."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import sleep
from typing import Any

from lambdas.symplify.answers import RateLimited, Unavailable

# As a night's runs have it by default; whoever wants to wait longer starts again.
_PATIENCE = 6 * 3600
_GROWTH = 1.5


class Overdue(Exception):
    """It took too long; the text is a sentence."""


@dataclass(frozen=True)
class Pace:
    """Waits, in seconds."""

    between: float
    """Between any two calls."""
    first: float
    """Before the first status call; each further wait is longer."""
    most: float

    def wait(self, number: int) -> float:
        """The wait before a repeated call, counted from 0."""
        return min(self.most, self.first * _GROWTH ** min(number, 50))


# The vendor asks for one export a day and publishes no limit: a call every few seconds, and what a 429 says.
POLITE = Pace(between=2, first=15, most=120)
# A stand-in on this machine is nobody's server.
LOOPBACK = Pace(between=0, first=0.2, most=2)


@dataclass
class Caller:
    """Calls Symplify, and waits as long as it asks for."""

    pace: Pace
    say: Callable[[str], None]
    _waited: float = field(default=0, init=False)
    _has_called: bool = field(default=False, init=False)

    def begin(self) -> None:
        """Start to count the waits of another export."""
        self._waited = 0

    def ask(self, call: Callable[[], Any]) -> Any:
        """Call until there is an answer that is neither RateLimited nor Unavailable.

        Raises:
            Overdue: there is none within the patience.
        """
        failures = 0
        while True:
            if self._has_called:
                sleep(self.pace.between)
            self._has_called = True
            answer = call()
            match answer:
                case RateLimited(seconds):
                    self.say(f"Symplify asks to wait {seconds} s")
                    self.wait(seconds, "Symplify answered 'too many requests' (429) until then.")
                case Unavailable(reason):
                    self.say(reason)
                    self.wait(self.pace.wait(failures), reason)
                    failures += 1
                case _:
                    return answer

    def wait(self, seconds: float, cause: str) -> None:
        """Wait.

        Raises:
            Overdue: it would be beyond the patience.
        """
        self._waited += seconds
        if self._waited > _PATIENCE:
            raise Overdue(f"It took more than {_PATIENCE // 3600} hours. {cause} Start again to go on.")
        sleep(seconds)
