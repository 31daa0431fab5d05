"""The folder that a load works in, and what killed loads have left."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from shutil import rmtree
from tempfile import gettempdir, mkdtemp

_PREFIX = "symplify-load-"


@contextmanager
def work_folder() -> Iterator[Path]:
    """A folder of one load, removed at its end.

    A function's /tmp outlives a call that runs out of time or memory, so the folders of such calls are removed first:
    the disk would be full after a few. A folder is in use as long as somebody has a lock on it, which ends with the
    process; on the local cloud, several loads share a machine.
    """
    with Path(gettempdir(), f"{_PREFIX}folders").open("w") as gate:
        flock(gate, LOCK_EX)
        for left in Path(gettempdir()).glob(f"{_PREFIX}*/"):
            with suppress(OSError):
                lock = _lock(left)
                rmtree(left, ignore_errors=True)
                os.close(lock)
        folder = Path(mkdtemp(prefix=_PREFIX))
        lock = _lock(folder)
    try:
        yield folder
    finally:
        rmtree(folder, ignore_errors=True)
        os.close(lock)


def _lock(folder: Path) -> int:
    """Lock a folder until the returned descriptor is closed.

    Raises:
        OSError: it is locked, or another user's.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        flock(descriptor, LOCK_EX | LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor
