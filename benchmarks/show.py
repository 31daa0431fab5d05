"""The numbers as tables of text, for the terminal and for docs/performance.md."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from statistics import median
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table

from benchmarks.events import SHAPES
from benchmarks.targets import Verdict

Lines = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Grid:
    """A table: title, columns (the first `words` of them are text, the others numbers), and rows."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: int = 1

    def show(self, console: Console) -> None:
        """Print it."""
        table = Table(title=self.title, box=SIMPLE_HEAD, title_justify="left")
        for number, column in enumerate(self.columns):
            table.add_column(column, justify="left" if number < self.words else "right")
        for row in self.rows:
            table.add_row(*row)
        console.print(table)

    def markdown(self) -> str:
        """As the page holds it."""
        rule = ["---" if number < self.words else "---:" for number in range(len(self.columns))]
        lines = [self.columns, rule, *self.rows]
        return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)


def load(lines: Lines) -> Iterator[Grid]:
    """A table a file."""
    columns = ("subject", "wall s", "CPU s", "peak MB", "disk MB", "MB/s", "× engine", "× this project", "values")
    for (megabytes, shape), group in groupby(lines, key=lambda line: (line["megabytes"], line["shape"])):
        found = list(group)
        rows = next((line["rows"] for line in found if line["rows"]), 0)
        yield Grid(
            f"{megabytes:,} MB, {SHAPES[shape]}, {rows:,} records",
            columns,
            tuple(
                _row(
                    line,
                    lambda line: (
                        f"{line['wall']:.2f}",
                        f"{line['cpu']:.2f}",
                        _mega(line["peak"]),
                        _mega(line["disk"]),
                        _mega(line["bytesPerSecond"]),
                        _times(line["ratioToEngine"]),
                        _times(line["ratioToOurs"]),
                        _kept(line["isSame"]),
                    ),
                )
                for line in found
            ),
        )


def shapes(lines: Lines) -> Iterator[Grid]:
    """A table of this project's shapes, with the peers' throughput beside."""
    columns = ("shape", "MB", "wall s", "CPU s", "peak MB", "MB/s", "of flat", "rows", "values")
    ours = [line for line in lines if "ratioToFlat" in line]
    peers = {(line["shape"], line["subject"]): line for line in lines if "ratioToFlat" not in line}
    names = list(dict.fromkeys(subject for _, subject in peers))
    yield Grid(
        "The same events in other shapes",
        (*columns, *(f"{name}, MB/s" for name in names)),
        tuple(
            _row(
                {**line, "subject": line["shape"]},
                lambda line: (
                    f"{line['megabytes']:,}",
                    f"{line['wall']:.2f}",
                    f"{line['cpu']:.2f}",
                    _mega(line["peak"]),
                    _mega(line["bytesPerSecond"]),
                    _times(line["ratioToFlat"]),
                    f"{line['rows']:,}",
                    _kept(line["isSame"]),
                    *(_of_peer(peers.get((line["shape"], name))) for name in names),
                ),
            )
            for line in ours
        ),
    )


def _of_peer(line: Mapping[str, Any] | None) -> str:
    if line is None:
        return "–"
    return "fails" if line["failed"] else _mega(line["bytesPerSecond"])


def merge(lines: Lines) -> Iterator[Grid]:
    """One table."""
    columns = ("subject", "wall s", "CPU s", "peak MB", "disk MB", "× engine", "rows", "values")
    stored = lines[0]["storedRows"] if lines else 0
    yield Grid(
        f"Merge into a day of {stored:,} rows",
        columns,
        tuple(
            _row(
                line,
                lambda line: (
                    f"{line['wall']:.2f}",
                    f"{line['cpu']:.2f}",
                    _mega(line["peak"]),
                    _mega(line["disk"]),
                    _times(line["ratioToEngine"]),
                    f"{line['rows']:,}",
                    _kept(line["isSame"]),
                ),
            )
            for line in lines
        ),
    )


def copy(lines: Lines) -> Iterator[Grid]:
    """One table."""
    columns = ("subject", "MB", "wall s", "CPU s", "peak MB", "MB/s", "throughput", "bytes")
    yield Grid(
        "Copy into the embedded bucket",
        columns,
        tuple(
            _row(
                line,
                lambda line: (
                    f"{line['megabytes']:,}",
                    f"{line['wall']:.2f}",
                    f"{line['cpu']:.2f}",
                    _mega(line["peak"]),
                    _mega(line["bytesPerSecond"]),
                    _times(1 / line["ratioToCurl"] if line["ratioToCurl"] else None),
                    _kept(line["isSame"]),
                ),
            )
            for line in lines
        ),
    )


def report(lines: Lines) -> Iterator[Grid]:
    """One table."""
    yield Grid(
        "The morning report",
        ("subject", "events", "wall s", "CPU s", "peak MB", "rows of each answer", "page KB"),
        tuple(
            _row(
                {**line, "subject": "queries and page"},
                lambda line: (
                    f"{line['events']:,}",
                    f"{line['wall']:.1f}",
                    f"{line['cpu']:.1f}",
                    _mega(line["peak"]),
                    ", ".join(map(str, line["rows"])),
                    f"{line['pageBytes'] / 1000:,.0f}",
                ),
            )
            for line in lines
        ),
    )


def imports(lines: Lines) -> Iterator[Grid]:
    """One table."""
    yield Grid(
        "Cold import of each function",
        ("function", "wall s", "CPU s", "peak MB"),
        tuple(
            _row(line, lambda line: (f"{line['wall']:.2f}", f"{line['cpu']:.2f}", _mega(line["peak"])))
            for line in lines
        ),
    )


def deploy(lines: Lines) -> Iterator[Grid]:
    """One table."""
    timed = [line for line in lines if "wall" in line]
    yield Grid(
        "Synthesis and deployment",
        ("command", "wall s"),
        tuple((line["subject"], f"{line['wall']:.1f}") for line in timed),
    )


def idle(lines: Lines) -> Iterator[Grid]:
    """A table of the nights."""
    nights = [line for line in lines if "night" in line]
    rows = []
    for night, group in groupby(nights, key=lambda line: line["night"]):
        found = list(group)
        overheads = [line["overhead"] for line in found]
        steps = {name for line in found for name in line["steps"]}
        slowest = max(steps, key=lambda name: median(line["steps"].get(name, 0.0) for line in found))
        rows.append(
            (
                night,
                f"{len(found)}",
                f"{min(overheads):.1f}",
                f"{median(overheads):.1f}",
                f"{max(overheads):.1f}",
                f"{slowest} {median(line['steps'].get(slowest, 0.0) for line in found):.1f} s",
            )
        )
    columns = ("night", "exports", "least s", "median s", "most s", "longest step")
    yield Grid("An export's own time, without waiting for the vendor", columns, tuple(rows))


def targets(found: Sequence[Verdict]) -> Grid:
    """The verdicts."""
    rows = tuple((one.target, one.limit, one.measured, one.where, one.verdict) for one in found)
    return Grid("Targets", ("target", "limit", "measured", "where", "verdict"), rows, words=5)


GRIDS: Mapping[str, Callable[[Lines], Iterator[Grid]]] = {
    "load": load,
    "shapes": shapes,
    "merge": merge,
    "copy": copy,
    "report": report,
    "imports": imports,
    "deploy": deploy,
    "idle": idle,
}
"""How each part is shown."""


def _row(line: Mapping[str, Any], cells: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> tuple[str, ...]:
    if line.get("failed") or "wall" not in line:
        return (f"{line['subject']}: {line.get('failed') or 'not measured'}",)
    return (line["subject"], *cells(line))


def _mega(count: float) -> str:
    return f"{count / 1e6:,.0f}"


def _times(ratio: float | None) -> str:
    return "–" if ratio is None else f"{ratio:.2f}"


def _kept(is_same: bool | None) -> str:
    return {True: "same", False: "differ", None: "–"}[is_same]
