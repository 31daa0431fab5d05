"""Commands measured as whole processes, in turn, by what the operating system reports of each."""

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
# A command that takes longer counts as hung; dlt with dicts takes four minutes for a gigabyte.
LIMIT_SECONDS = 3600.0


class Failed(RuntimeError):
    """A command failed or took too long; the text is a sentence with its last words."""


@dataclass(frozen=True)
class Repetition:
    """Wall and processor seconds, the peaks of resident memory and of temporary files, and what was printed."""

    wall: float
    cpu: float
    peak: int
    printed: Mapping[str, Any] = field(default_factory=dict)
    disk: int = 0


def run_command(
    command: Sequence[str],
    folder: Path,
    environment: Mapping[str, str] | None = None,
    limit: float = LIMIT_SECONDS,
) -> Repetition:
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
    usage = json.loads(report.read_text()) if report.exists() else {"status": process.returncode}
    if usage["status"] != 0:
        words = " ".join(log.read_text(errors="replace").split())[-600:]
        raise Failed(f"{_name(command)} ended with status {usage['status']}: {words or 'it printed nothing'}")
    lines = output.splitlines()
    printed = json.loads(lines[-1]) if lines and lines[-1].startswith(b"{") else {}
    return Repetition(usage["wall"], usage["cpu"], usage["peak"], printed, usage["disk"])


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
    """Something to measure: `start` runs it once in an empty folder, and `check` returns its result."""

    name: str
    start: Callable[[Path], Repetition]
    check: Callable[[Repetition], Any] = lambda _: None
    is_slow: bool = False
    """Whether one repetition is enough: it counts, without a warm-up."""


@dataclass
class Measured:
    """A subject's repetitions by turn, the result that all of them share, and why there are no more."""

    repetitions: dict[int, Repetition] = field(default_factory=dict)
    outcome: Any = None
    failed: str | None = None

    def figures(self) -> dict[str, Any]:
        """The medians as JSON."""
        found = list(self.repetitions.values())
        if not found:
            return {}
        return {
            "wall": median(one.wall for one in found),
            "walls": [round(one.wall, 4) for one in found],
            "cpu": median(one.cpu for one in found),
            "peak": max(one.peak for one in found),
            "disk": max(one.disk for one in found),
        }


def in_turn(subjects: Sequence[Subject], repetitions: int, folder: Path) -> dict[str, Measured]:
    """Run the subjects in turn, again and again, so that a machine that slows down slows all of them.

    The first turn is a warm-up. A subject that fails is skipped from then on, with its sentence.
    """
    found = {subject.name: Measured() for subject in subjects}
    for turn in range(repetitions + 1):
        for subject in subjects:
            measured = found[subject.name]
            if measured.failed is not None or (subject.is_slow and turn != 1):
                continue
            with TemporaryDirectory(dir=folder, prefix="repetition-") as empty:
                try:
                    done = subject.start(Path(empty))
                    outcome = subject.check(done)
                    if measured.outcome not in (None, outcome):
                        raise Failed(f"Two repetitions had different results: {measured.outcome} and {outcome}.")
                    measured.outcome = outcome
                except Failed as failure:
                    measured.failed = str(failure)
                    continue
            if turn:
                measured.repetitions[turn] = done
    return found


def ratio(one: Measured, other: Measured) -> float | None:
    """How many times the other's wall time one takes: turn by turn, the median; None where they share no turn."""
    shared = one.repetitions.keys() & other.repetitions.keys()
    walls = [one.repetitions[turn].wall / other.repetitions[turn].wall for turn in shared]
    return median(walls) if walls else None
