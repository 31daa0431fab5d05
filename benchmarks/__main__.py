"""`make bench`: how fast and how small the project is, against the bare engine and its peers.

Tables and verdicts go to the terminal; numbers (`results.json`) and plots (`*.png`) to the folder `.build/bench`.
A part that fails or is interrupted (Ctrl-C) is reported, and the others follow; a second Ctrl-C ends everything.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import page, show
from benchmarks.cost_model import Unmeasured
from benchmarks.measure import ROOT, Failed, run_command
from benchmarks.options import PEERS, BenchmarkOptions
from benchmarks.parts import PARTS, Line
from benchmarks.targets import MISSED, verdicts
from local import interrupts
from local.lifecycle import exclusive_lock
from local.problem import Problem

BUILD = ROOT / ".build" / "bench"
_WIDTH = 150
_SECOND_CHANCE_SECONDS = 2.0
_OURS = ("boto3", "duckdb", "msgspec")
_PEERS = ("dlt", "matplotlib", "pandas", "pyarrow")

Document = dict[str, Any]


def main(words: Sequence[str] | None = None) -> int:
    """Measure, report, and return 0 when every part succeeded; missed targets do not count as failure."""
    given = _parser().parse_args(words)
    interrupts.install()
    # The same Node for CDK as in every command of the project.
    os.environ["PATH"] = os.pathsep.join([str(ROOT / ".venv" / "bin"), os.environ.get("PATH", os.defpath)])
    console = Console(soft_wrap=True)
    # Tables need some width, also in a pipe, which has none.
    console.width = max(console.width, _WIDTH)
    BUILD.mkdir(parents=True, exist_ok=True)
    try:
        with exclusive_lock(BUILD):
            kept = _last() if given.add else {}
            _clear(BUILD)
            return _measured(given, kept, console)
    except Problem:
        console.print(f"Another benchmark is running in {BUILD}.")
        return 2


def _last() -> Document:
    """The numbers of the last time, or none."""
    path = BUILD / "results.json"
    found: Document = json.loads(path.read_text()) if path.exists() else {}
    return found


def _measured(given: argparse.Namespace, kept: Document, console: Console) -> int:
    options = BenchmarkOptions(
        folder=BUILD,
        report=lambda words: console.print(f"{datetime.now(UTC):%H:%M:%S} {words}", style="dim", highlight=False),
        sizes=tuple(given.sizes),
        peers_up_to=given.peers_up_to,
        slow_up_to=given.slow_up_to,
        repetitions=given.repetitions,
        shape_megabytes=given.shape_megabytes,
        stored_rows=given.stored_rows,
        copy_sizes=tuple(given.copy_sizes),
    )
    document: Document = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": _machine(),
        "versions": _versions(),
        "options": {name: value for name, value in vars(given).items() if name not in ("add", "publish")},
        "parts": kept.get("parts", {}),
        "failures": {},
    }
    for name in [part for part in PARTS if part in (given.parts or PARTS)]:
        if not _part(name, options, document, console):
            break
    _report(document, console)
    if given.publish:
        try:
            page.publish(BUILD)
            console.print(f"Written into {page.PAGE.relative_to(ROOT)} and {page.KEPT.relative_to(ROOT)}/")
        except Unmeasured as problem:
            document["failures"]["publish"] = str(problem)
            console.print(f"Nothing was published. {problem} Measure it with --add.", style="bold red", markup=False)
    return 1 if document["failures"] else 0


def _part(name: str, options: BenchmarkOptions, document: Document, console: Console) -> bool:
    """Measure a part, and keep its lines however it ends; false when nothing else is to be measured."""
    lines: list[Line] = []
    document["parts"][name] = lines
    began, continues = time.monotonic(), True
    try:
        for line in PARTS[name](options):
            lines.append(line)
            _write(document)
    except KeyboardInterrupt:
        document["failures"][name] = "interrupted"
        console.print(f"{name}: interrupted; again within {_SECOND_CHANCE_SECONDS:.0f} s ends the run", style="bold")
        try:
            time.sleep(_SECOND_CHANCE_SECONDS)
        except KeyboardInterrupt:
            continues = False
    except (Failed, Problem) as failure:
        document["failures"][name] = str(failure)
        console.print(f"{name}: {failure}", style="bold red", markup=False)
    except Exception as error:
        # The other parts' numbers are worth having whatever it is.
        document["failures"][name] = f"{type(error).__name__}: {error}"
        console.print_exception()
    document.setdefault("seconds", {})[name] = round(time.monotonic() - began, 1)
    for grid in show.GRIDS[name](lines):
        grid.show(console)
    return continues


def _report(document: Document, console: Console) -> None:
    found = verdicts(document["parts"])
    document["verdicts"] = [verdict.as_json() for verdict in found]
    _write(document)
    show.targets(found).show(console)
    for name, words in document["failures"].items():
        console.print(f"{name} did not go through: {words}", style="bold red", markup=False)
    missed = sum(MISSED in verdict.verdict for verdict in found)
    console.print(f"{missed} of {len(found)} targets missed. Numbers: {BUILD / 'results.json'}")
    try:
        # With the peers' matplotlib, which is no dependency of the project's own.
        plotted = run_command(
            [str(PEERS), str(ROOT / "benchmarks" / "plot.py"), str(BUILD / "results.json"), str(BUILD)], BUILD
        )
        console.print(f"Plots: {', '.join(plotted.printed['files'])}")
    except Failed as failure:
        document["failures"]["plots"] = str(failure)
        console.print(f"plots: {failure}", style="bold red", markup=False)


def _write(document: Document) -> None:
    half = BUILD / "results.json.half"
    half.write_text(json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    half.replace(BUILD / "results.json")


def _clear(folder: Path) -> None:
    """Remove the files of the last time, however it ended."""
    for left in folder.iterdir():
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink()


def _machine() -> dict[str, Any]:
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    cpuinfo = Path("/proc/cpuinfo")
    names = [line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
    return {
        "cores": os.cpu_count(),
        "processor": names[0] if names else platform.processor() or platform.machine(),
        "architecture": platform.machine(),
        "system": f"{platform.system()} {platform.release()}",
        "memoryBytes": memory,
    }


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in _OURS}
    for line in (ROOT / "benchmarks" / "requirements.txt").read_text().splitlines():
        name, equals, version = line.partition("==")
        if equals and name in _PEERS:
            found[name] = version.split()[0]
    curl = shutil.which("curl")
    if curl:
        said = subprocess.run([curl, "--version"], capture_output=True, text=True, check=False).stdout
        found["curl"] = said.split()[1] if said else "?"
    return found


def _part_name(text: str) -> str:
    if text not in PARTS:
        raise argparse.ArgumentTypeError(f"'{text}' is none of {', '.join(PARTS)}")
    return text


def _parser() -> argparse.ArgumentParser:
    default = BenchmarkOptions(BUILD, print)
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", type=_part_name, help=f"{', '.join(PARTS)} (default: all)")
    add("--sizes", type=int, nargs="+", default=list(default.sizes), metavar="MB", help="of the event file (200 1000)")
    add("--peers-up-to", type=int, default=default.peers_up_to, metavar="MB", help="largest size for peers (1000)")
    add("--slow-up-to", type=int, default=default.slow_up_to, metavar="MB", help="and for dlt with dicts (200)")
    add(
        "--repetitions",
        type=int,
        default=default.repetitions,
        help="of each subject, after one that is not counted (3)",
    )
    add("--shape-megabytes", type=int, default=default.shape_megabytes, metavar="MB", help="of each shape's file (200)")
    add("--stored-rows", type=int, default=default.stored_rows, metavar="ROWS", help="of the day that is merged into")
    add("--copy-sizes", type=int, nargs="+", default=list(default.copy_sizes), metavar="MB", help="of the copied file")
    add("--add", action="store_true", help="keep the last numbers of the other parts")
    add("--publish", action="store_true", help="write the numbers into docs/performance.md as well")
    return parser


if __name__ == "__main__":
    sys.exit(main())
