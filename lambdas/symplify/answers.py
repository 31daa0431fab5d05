"""What a call to Symplify may answer. Each answer is a value; only the unforeseen is an exception."""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True)
class Ordered:
    """The export is ordered."""

    batch_id: str


class BatchState(Enum):
    """The state of a batch; `client.py` maps the vendor's statuses to it."""

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
    """A signed link to a result. Anyone who has it can read the data, so it is never logged or stored."""

    url: str

    def __repr__(self) -> str:
        return "Link(…)"


@dataclass(frozen=True)
class RateLimited:
    """Too many requests: ask again later."""

    wait_seconds: int
    cause: str = "Symplify last answered 'too many requests' (429)."


@dataclass(frozen=True)
class Refused:
    """A final refusal, as a sentence that quotes the vendor."""

    reason: str


@dataclass(frozen=True)
class NotFound(Refused):
    """Symplify knows no such batch: final, unless it was ordered a moment ago."""


@dataclass(frozen=True)
class OrderUnusable(Refused):
    """An order was taken, or may have been, and its answer names no batch that can be its own: final for this run."""


@dataclass(frozen=True)
class BadToken(Refused):
    """Symplify does not accept the token: final for this run, but not the batch's fault."""


@dataclass(frozen=True)
class NoToken(BadToken):
    """Nobody has put a token into the secret yet."""


@dataclass(frozen=True)
class Unavailable:
    """No usable answer to a call that may be repeated."""

    reason: str


@dataclass(frozen=True)
class Lost:
    """An order was sent and not answered: it may or may not have taken effect."""

    reason: str
