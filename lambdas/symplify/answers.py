"""What a call to Symplify may answer. Each answer is a value; only the unforeseen is an exception."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Ordered:
    """The export is ordered."""

    batch_id: str


class BatchState(Enum):
    """What a status means for us; the vendor's words for it are mapped in `client.py`."""

    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"


@dataclass(frozen=True)
class Batch:
    """The state of a batch, with the vendor's own counters."""

    state: BatchState
    processed: int | None
    total: int | None


@dataclass(frozen=True)
class Link:
    """A signed link to a result. Whoever holds it can read the data: it is never logged and never leaves a function."""

    url: str

    def __repr__(self) -> str:
        return "Link(…)"


@dataclass(frozen=True)
class RateLimited:
    """Symplify asks us to come back later."""

    wait_seconds: int


@dataclass(frozen=True)
class Refused:
    """A final no, as a sentence with the vendor's own words in it."""

    reason: str


@dataclass(frozen=True)
class NotFound(Refused):
    """Symplify knows no such batch: final, unless it was ordered a moment ago."""


@dataclass(frozen=True)
class BadToken(Refused):
    """Symplify does not accept the token: final for this run, and says nothing of the batch."""


@dataclass(frozen=True)
class NoToken(BadToken):
    """Nobody has put a token into the secret yet."""


@dataclass(frozen=True)
class Unavailable:
    """No usable answer to a question that may be asked again."""

    reason: str


@dataclass(frozen=True)
class Lost:
    """An order was sent and its answer did not come: it may or may not have taken effect."""

    reason: str
