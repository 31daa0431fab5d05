"""`make bench`: this project's load, the bare engine and its peers, in turn, in one run.

Writes a table to the terminal, and `results.json` and `results.png` to the folder `.build/bench`.
"""

import argparse
import importlib.metadata
import json
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks import events
from benchmarks.landed import facts
from benchmarks.measure import Run, middle, run

ROOT = Path(__file__).parent.parent
BUILD = ROOT / ".build" / "bench"
PEERS = ROOT / ".venv" / "bench" / "bin" / "python"


@dataclass(frozen=True)
class Subject:
    """What is measured: its name, the containers it can read, and its command for a file and a folder."""

    name: str
    shapes: tuple[str, ...]
    command: Callable[[Path, Path], list[str]]


def _script(name: str) -> str:
    return str(ROOT / "benchmarks" / "subjects" / name)


def _ours(source: Path, out: Path) -> list[str]:
    return [sys.executable, "-m", "benchmarks.subjects.ours", str(out), json.dumps([landed(source, out, "1")])]


def landed(source: Path, out: Path, batch_id: str) -> dict[str, Any]:
    """Put a file where a landed batch lies (a hard link, so that nothing is copied), and return its manifest."""
    key = f"raw/{source.name}"
    (out / "raw").mkdir(exist_ok=True)
    os.link(source, out / key)
    known = json.loads(source.with_suffix(".manifest").read_text())
    return {
        "export_type": events.EXPORT,
        "batch_id": batch_id,
        "ordered_at": events.ORDERED_AT.isoformat(timespec="microseconds"),
        "period": "LAST_3_DAYS",
        "run": "benchmark",
        "key": key,
        **known,
    }


SUBJECTS = (
    Subject("this project", ("ndjson", "array"), _ours),
    Subject(
        "bare DuckDB",
        ("ndjson", "array"),
        lambda source, out: [sys.executable, _script("engine.py"), str(source), str(out), json.dumps(events.COLUMNS)],
    ),
    Subject(
        "dlt, dicts",
        ("ndjson", "array"),
        lambda source, out: [str(PEERS), _script("dlt_load.py"), str(source), str(out), "dicts"],
    ),
    Subject(
        "dlt, Arrow tables",
        ("ndjson",),
        lambda source, out: [str(PEERS), _script("dlt_load.py"), str(source), str(out), "arrow"],
    ),
    Subject(
        "pandas, pyarrow",
        ("ndjson",),
        lambda source, out: [str(PEERS), _script("pandas_load.py"), str(source), str(out)],
    ),
)


def main() -> None:
    """Measure, compare what came out, and tell."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--megabytes", type=int, nargs="+", default=[200, 1000], help="sizes of the event file")
    parser.add_argument("--runs", type=int, default=3, help="counted runs of each, after one that is not counted")
    parser.add_argument("--slow-up-to", type=int, default=200, help="largest size that dlt with dicts is given")
    given = parser.parse_args()
    BUILD.mkdir(parents=True, exist_ok=True)
    console = Console()
    results = []
    for megabytes in given.megabytes:
        for shape in ("ndjson", "array"):
            source = events.make(BUILD, shape, megabytes)
            _write_manifest(source)
            subjects = [
                subject
                for subject in SUBJECTS
                if shape in subject.shapes and (subject.name != "dlt, dicts" or megabytes <= given.slow_up_to)
            ]
            results += _compared(subjects, source, shape, given.runs, console)
    document = {"machine": _machine(), "results": results}
    (BUILD / "results.json").write_text(json.dumps(document, indent=1))
    _plot(results)
    console.print(f"{BUILD / 'results.json'}, {BUILD / 'results.png'}", soft_wrap=True)


def _compared(subjects: list[Subject], source: Path, shape: str, runs: int, console: Console) -> list[dict[str, Any]]:
    """All subjects over one file, in turn, so that a machine that slows down slows all of them."""
    measured: dict[str, list[Run]] = {subject.name: [] for subject in subjects}
    checks: dict[str, Any] = {}
    for number in range(runs + 1):
        for subject in subjects:
            with TemporaryDirectory(dir=BUILD) as folder:
                out = Path(folder)
                done = run(subject.command(source, out), out)
                if number:
                    measured[subject.name].append(done)
                else:
                    checks[subject.name] = _checksum(done.said["files"])
    if len({json.dumps(check) for check in checks.values()}) != 1:
        raise SystemExit(f"The results of {source.name} differ: {checks}")
    size = source.stat().st_size
    table = Table(
        "subject", title=f"{source.name}, {size / 1e6:,.0f} MB, {checks['this project'][0]:,} rows", box=SIMPLE_HEAD
    )
    for name in ("wall s", "CPU s", "peak MB", "MB/s", "x bare engine"):
        table.add_column(name, justify="right")
    lines = []
    for name, each in measured.items():
        half = middle(each)
        # Pair by pair, each with the engine's run of the same turn.
        ratios = sorted(one.wall / other.wall for one, other in zip(each, measured["bare DuckDB"], strict=True))
        ratio = ratios[len(ratios) // 2]
        lines.append(
            {
                "subject": name,
                "shape": shape,
                "bytes": size,
                "rows": checks[name][0],
                "wall": half.wall,
                "walls": [one.wall for one in each],
                "cpu": half.cpu,
                "peak": half.peak,
                "bytesPerSecond": size / half.wall,
                "ratioToEngine": ratio,
            }
        )
        table.add_row(
            name,
            f"{half.wall:.2f}",
            f"{half.cpu:.2f}",
            f"{half.peak / 1e6:,.0f}",
            f"{size / half.wall / 1e6:,.0f}",
            f"{ratio:.2f}",
        )
    console.print(table)
    return lines


def _checksum(files: str | list[str]) -> list[Any]:
    """How many rows the files hold, and a sum over what each row says, whatever the columns are called."""
    listed = json.dumps([files] if isinstance(files, str) else files).replace('"', "'")
    engine = duckdb.connect()
    names = {
        row[0].replace("_", "").lower(): row[0]
        for row in engine.execute(f"DESCRIBE SELECT * FROM read_parquet({listed}, union_by_name=true)").fetchall()
    }
    # Times are text or instants, as each subject sees fit; all else must be the same to the letter.
    fields = [names[name.lower()] for name in events.COLUMNS if "timestamp" not in name.lower()]
    row = ", ".join(f'"{name}"::VARCHAR' for name in fields)
    count, total = engine.execute(
        f"SELECT count(*), sum(hash({row})::HUGEINT)::VARCHAR FROM read_parquet({listed}, union_by_name=true)"
    ).fetchone()
    return [count, total]


def _write_manifest(source: Path) -> None:
    """What the copy has found out about the file when it lands; not part of the load's time."""
    source.with_suffix(".manifest").write_text(json.dumps(facts(source)))


def _machine() -> dict[str, Any]:
    packages = {name: importlib.metadata.version(name) for name in ("duckdb", "msgspec")}
    peers = {}
    for line in (ROOT / "benchmarks" / "requirements.txt").read_text().splitlines():
        name, equals, version = line.partition("==")
        if equals and name in ("dlt", "pandas", "pyarrow"):
            peers[name] = version.split()[0]
    return {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "processor": platform.machine(),
        **packages,
        **peers,
    }


def _plot(results: list[dict[str, Any]]) -> None:
    """Draw with the peers' matplotlib, which is no dependency of the project's own."""
    lines = BUILD / "lines.json"
    lines.write_text(json.dumps(results))
    run([str(PEERS), str(ROOT / "benchmarks" / "plot.py"), str(lines), str(BUILD / "results.png")], BUILD)


if __name__ == "__main__":
    main()
