"""Waiting for what the embedded cloud does in its own time."""

import time
from collections.abc import Callable
from typing import TypeVar

Found = TypeVar("Found")

_PAUSE_SECONDS = 0.1


def until(look: Callable[[], Found | None], otherwise: str, seconds: float = 600.0) -> Found:
    """Look again and again until something is found; fail with a sentence when nothing is, for so long.

    The limit ends a wait for what never comes; it is far above what the slowest machine needs.
    """
    deadline = time.monotonic() + seconds
    while not (found := look()):
        assert time.monotonic() < deadline, otherwise
        time.sleep(_PAUSE_SECONDS)
    return found
