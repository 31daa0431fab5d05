"""Background processes of the local cloud: detached from the terminal, and found again at any time.

Each has its folder in its environment, which its children inherit: a later command finds them, even when the command
that started them was killed at any moment.
"""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from local import interrupts

_FOLDER = "SYMPLIFY_LAKE_FOLDER"
_STOP_SECONDS = 5.0
_SCANS = 10


@dataclass(frozen=True)
class Process:
    """A background process. The start time (seconds since 1970) distinguishes it from a later one with the same pid."""

    pid: int
    started: float

    @property
    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._find() is not None

    def stop(self) -> None:
        """Kill it and all that it has started, unless it has ended; a local cloud needs no graceful shutdown."""
        process = self._find()
        if process is not None:
            _end([process])

    def _find(self) -> psutil.Process | None:
        try:
            process = psutil.Process(self.pid)
            return process if process.create_time() == self.started and _runs(process) else None
        except psutil.NoSuchProcess:
            return None


@dataclass(frozen=True)
class Started:
    """A process that was just started, and a handle to wait for it or to read its output."""

    process: Process
    handle: "subprocess.Popen[bytes]"
    log: Path
    """What it writes to standard error, and to standard output unless that is read."""


def start(
    name: str,
    command: Sequence[str],
    environment: Mapping[str, str],
    folder: Path,
    work: Path | None = None,
    *,
    is_read: bool = False,
) -> Started:
    """Start a process in a session of its own, so that it gets no Ctrl-C of the terminal.

    Its log lies in `folder`; `is_read` pipes its standard output to the caller.
    """
    log = folder / f"{name}.log"
    with log.open("wb") as output, interrupts.held():
        handle = subprocess.Popen(  # noqa: S603 - the project's own commands
            command,
            env={**environment, _FOLDER: str(folder.resolve())},
            cwd=work or folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE if is_read else output,
            stderr=output,
            start_new_session=True,
        )
        process = Process(handle.pid, psutil.Process(handle.pid).create_time())
    return Started(process, handle, log)


def stop_all(folder: Path) -> bool:
    """Stop what was started for a folder, with its children; return whether anything still ran."""
    stopped = False
    # More than one scan: a process may start another between being found and being killed.
    for _ in range(_SCANS):
        found = list(_working_for(folder))
        if not found:
            break
        stopped = True
        _end(found)
    return stopped


def _working_for(folder: Path) -> Iterator[psutil.Process]:
    for process in psutil.process_iter():
        # Ended meanwhile, or another user's.
        with suppress(psutil.Error):
            if _runs(process) and process.environ().get(_FOLDER) == str(folder.resolve()):
                yield process


def _end(processes: Sequence[psutil.Process]) -> None:
    """End processes, and all that they have started."""
    family = list(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            family += process.children(recursive=True)
    for member in family:
        # The whole group at once: what a member has started since it was listed would survive otherwise.
        with suppress(ProcessLookupError):
            if os.getpgid(member.pid) == member.pid:
                os.killpg(member.pid, signal.SIGKILL)
        with suppress(psutil.NoSuchProcess):
            member.kill()
    # Some machines keep the ended ones as zombies.
    deadline = time.monotonic() + _STOP_SECONDS
    while any(map(_runs, family)) and time.monotonic() < deadline:
        time.sleep(_STOP_SECONDS / 500)


def _runs(process: psutil.Process) -> bool:
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
