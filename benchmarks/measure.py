"""Commands as whole processes, in turn, with what the operating system says of each when it is over."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

_TIMED = Path(__file__).parent / "timed.py"
ROOT = Path(__file__).parent.parent
# A command that takes longer is taken for hung; dlt with dicts takes four minutes for a gigabyte.
LIMIT_SECONDS = 3600.0


class Failed(RuntimeError):
    """A command failed or took too long; the text is a sentence with its last words."""


@dataclass(frozen=True)
class Run:
    """One run: wall and processor seconds, the peaks of resident memory and of temporary files, what it printed."""

    wall: float
    cpu: float
    peak: int
    said: Mapping[str, Any] = field(default_factory=dict)
    disk: int = 0


def run(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    limit: float = LIMIT_SECONDS,
) -> Run:
    """Run a command from the project's folder; the last line that it prints may be a JSON object.

    Raises:
        Failed: it failed, or took too long.
    """
    log, report = folder / "stderr.txt", folder / "report.json"
    helper = [sys.executable, "-I", "-S", str(_TIMED), str(report), str(folder), *command]
    with log.open("wb") as errors:
        process = subprocess.Popen(
            helper,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            cwd=ROOT,
            env=dict(environment) if environment is not None else None,
            start_new_session=True,
        )
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            _end(process)
            raise Failed(f"{_name(command)} took longer than {limit:,.0f} s and was stopped.") from None
        except BaseException:
            _end(process)
            raise
    told = json.loads(report.read_text()) if report.exists() else {"status": process.returncode}
    if told["status"] != 0:
        words = " ".join(log.read_text(errors="replace").split())[-600:]
        raise Failed(f"{_name(command)} ended with status {told['status']}: {words or 'it said nothing'}")
    lines = output.splitlines()
    said = json.loads(lines[-1]) if lines and lines[-1].startswith(b"{") else {}
    return Run(told["wall"], told["cpu"], told["peak"], said, told["disk"])


def _end(process: "subprocess.Popen[bytes]") -> None:
    """End a command with all that it has started: they are a session of their own."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def _name(command: Sequence[str]) -> str:
    scripts = [word for word in command if word.endswith(".py") or word.startswith("benchmarks.")]
    return Path(scripts[0]).stem if scripts else command[0]


# In turn


@dataclass(frozen=True)
class Subject:
    """Something to measure: `start` makes one run in an empty folder, and `check` says what came out of it."""

    name: str
    start: Callable[[Path], Run]
    check: Callable[[Run], Any] = lambda _: None
    is_slow: bool = False
    """Whether one run is enough: it counts, and nothing goes before it."""


@dataclass
class Measured:
    """A subject's runs by the number of their turn, what came out of all of them, and why there are no more."""

    runs: dict[int, Run] = field(default_factory=dict)
    outcome: Any = None
    failed: str | None = None

    def figures(self) -> dict[str, Any]:
        """The medians as JSON."""
        if not self.runs:
            return {}
        runs = list(self.runs.values())
        return {
            "wall": median(run.wall for run in runs),
            "walls": [round(run.wall, 4) for run in runs],
            "cpu": median(run.cpu for run in runs),
            "peak": max(run.peak for run in runs),
            "disk": max(run.disk for run in runs),
        }


def in_turn(subjects: Sequence[Subject], runs: int, folder: Path) -> dict[str, Measured]:
    """Run all subjects one after the other, again and again, so that a machine that slows down slows all of them.

    The first turn is not counted. A subject that fails is left out from then on, with its sentence.
    """
    found = {subject.name: Measured() for subject in subjects}
    for turn in range(runs + 1):
        for subject in subjects:
            measured = found[subject.name]
            if measured.failed is not None or (subject.is_slow and turn != 1):
                continue
            with TemporaryDirectory(dir=folder, prefix="run-") as empty:
                try:
                    done = subject.start(Path(empty))
                    outcome = subject.check(done)
                    if measured.outcome not in (None, outcome):
                        raise Failed(f"Two runs brought different results: {measured.outcome} and {outcome}.")
                    measured.outcome = outcome
                except Failed as failure:
                    measured.failed = str(failure)
                    continue
            if turn:
                measured.runs[turn] = done
    return found


def ratio(one: Measured, other: Measured) -> float | None:
    """How many times the other's wall time one takes: turn by turn, the median; None where they share no turn."""
    shared = one.runs.keys() & other.runs.keys()
    return median(one.runs[turn].wall / other.runs[turn].wall for turn in shared) if shared else None
