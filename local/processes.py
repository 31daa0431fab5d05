"""Background processes of the local cloud: started apart from the terminal, known again by their start time."""

import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

# Long enough for a server to close its connections; what is left then is killed.
_STOP_SECONDS = 5.0


@dataclass(frozen=True)
class Process:
    """A background process. The start time (seconds since 1970) tells it from a later one with the same number."""

    pid: int
    started: float

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._find() is not None

    def stop(self) -> None:
        """End it and all that it has started; nothing happens when it has ended already."""
        process = self._find()
        if process is None:
            return
        family = [*process.children(recursive=True), process]
        for member in family:
            _quietly(member.terminate)
        _, left = psutil.wait_procs(family, timeout=_STOP_SECONDS)
        for member in left:
            _quietly(member.kill)
        psutil.wait_procs(left, timeout=_STOP_SECONDS)

    def _find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            if process.create_time() != self.started or process.status() == psutil.STATUS_ZOMBIE:
                return None
        except psutil.NoSuchProcess:
            return None
        return process


def start(command: Sequence[str], environment: Mapping[str, str], log: Path, folder: Path) -> Process:
    """Start a process in a session of its own, so that a Ctrl-C in the terminal is not sent to it."""
    with log.open("wb") as output:
        started = subprocess.Popen(  # noqa: S603 - our own words alone
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    return Process(started.pid, psutil.Process(started.pid).create_time())


def _quietly(action: Callable[[], None]) -> None:
    with suppress(psutil.NoSuchProcess):
        action()
