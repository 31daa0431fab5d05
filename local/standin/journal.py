"""The journal: one record per call, written before its answer is sent, without token and signatures."""

import threading
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from local.standin.batches import Order


@dataclass(frozen=True)
class CallRecord:
    """One call.

    Kinds of the API: `account`, `order`, `status`, `link`, `redirect`; of the file host: `file`; of both: `unknown`.
    """

    at: str
    """The stand-in's clock, ISO 8601 in UTC."""
    server: str
    """`api` or `files`."""
    kind: str
    method: str
    path: str
    status: int
    batch_id: str | None
    range: str | None
    """The header of that name, as it came."""
    carried_token: bool
    """Whether the header with the token was there: on the file host it must never be."""


class Journal:
    """The calls since the start, in the order in which they were answered."""

    def __init__(self) -> None:
        self._calls: list[CallRecord] = []
        self._lock = threading.Lock()

    def note(self, call: CallRecord) -> None:
        """Add a call."""
        with self._lock:
            self._calls.append(call)

    @property
    def calls(self) -> list[CallRecord]:
        """A copy of all calls."""
        with self._lock:
            return list(self._calls)


def summary(calls: list[CallRecord], orders: Sequence[Order]) -> dict[str, object]:
    """What `GET /_standin/calls` answers."""
    by_batch: dict[str, Counter[str]] = {}
    for call in calls:
        if call.batch_id is not None:
            by_batch.setdefault(call.batch_id, Counter())[call.kind] += 1
    return {
        "orders": [order.as_json() for order in orders],
        "counts": Counter(call.kind for call in calls),
        "byBatch": by_batch,
        "tokenOnFileHost": sum(call.carried_token for call in calls if call.server == "files"),
        "calls": [asdict(call) for call in calls],
    }
