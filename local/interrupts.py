"""Interrupts: Ctrl-C, SIGTERM and a closed terminal are handled alike."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def install() -> None:
    """Turn each of these signals into a KeyboardInterrupt, also where a background shell has them ignored."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


@contextmanager
def held() -> Iterator[None]:
    """Defer signals while a process is started and recorded."""
    came: list[int] = []
    before = {number: signal.signal(number, lambda number, _: came.append(number)) for number in _SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(signal.Signals(came[0]))


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
