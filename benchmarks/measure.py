"""A command as a whole process, with what the operating system says of it when it is over."""

import json
import os
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

# rusage counts kibibytes on Linux.
_RSS_UNIT = 1024


@dataclass(frozen=True)
class Run:
    """One run: wall and processor seconds, the peak of resident memory in bytes, and what the command printed."""

    wall: float
    cpu: float
    peak: int
    said: Mapping[str, Any]


def run(command: Sequence[str], folder: Path) -> Run:
    """Run a command that prints one JSON object as its last line.

    Raises:
        RuntimeError: it failed.
    """
    log = folder / "stderr.txt"
    start = time.perf_counter()
    with log.open("wb") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors)
        output = process.stdout.read() if process.stdout else b""
        _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise RuntimeError(f"{' '.join(command)} failed: {log.read_text(errors='replace')[-2000:]}")
    said = json.loads(output.splitlines()[-1])
    return Run(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * _RSS_UNIT, said)


def middle(runs: Sequence[Run]) -> Run:
    """The median of each figure."""
    return Run(
        median(run.wall for run in runs),
        median(run.cpu for run in runs),
        int(median(run.peak for run in runs)),
        runs[-1].said,
    )
