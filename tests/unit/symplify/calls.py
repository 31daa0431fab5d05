"""The calls that the client makes, and the token they are made with."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from lambdas.symplify.client import Client
from lambdas.vocabulary import EXPORT_TYPES, Period

POOL: Any = None
OPENS = EXPORT_TYPES["OPENS"]
HEADER = "X-Carma-Authentication-Token"
STATUS = json.dumps({"id": 101111, "type": " STAT_EXPORT", "status": " IN_PROGRESS", "processed": 5, "total": 7})


class Secret:
    """A secret that changes, and counts how often it is read."""

    def __init__(self, *tokens: str) -> None:
        self._tokens: Iterator[str] = iter(tokens)
        self._last = ""
        self.reads = 0

    def __call__(self) -> str:
        self.reads += 1
        self._last = next(self._tokens, self._last)
        return self._last


def order(client: Client) -> Any:
    return client.order(OPENS, Period.LAST_3_DAYS)


CALLS: list[Callable[[Client], Any]] = [
    order,
    lambda client: client.batch("7"),
    lambda client: client.link("7"),
    lambda client: client.account(),
]
