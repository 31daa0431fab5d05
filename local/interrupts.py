"""Being stopped: by Ctrl-C, by a signal, or by a terminal that is closed, all alike."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def install() -> None:
    """Turn each of these signals into a KeyboardInterrupt, also where a shell in the background has us ignore one."""
    for number in _SIGNALS:
        signal.signal(number, _interrupt)


@contextmanager
def held() -> Iterator[None]:
    """Hold signals back for a moment in which something starts that must be written down."""
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
