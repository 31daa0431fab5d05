"""Polling for asynchronous effects of the embedded cloud."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

_PAUSE_SECONDS = 0.3


def until(look: Callable[[], Found | None], otherwise: str, seconds: float = 600.0) -> Found:
    """Poll until `look` finds something; fail with a message after the timeout, far above what a slow machine needs."""
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(_PAUSE_SECONDS)
    return found
