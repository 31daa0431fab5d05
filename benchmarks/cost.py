"""What a night takes and costs, from a run's numbers: `python -m benchmarks.cost [RESULTS]`.

A processor of Lambda's is taken for as fast as a core of the machine that measured. Everything that is assumed and not
measured stands at the head of this file.
"""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from rich.console import Console

from benchmarks import prices
from benchmarks.measure import ROOT
from benchmarks.parts.idle import COLD
from benchmarks.parts.load import OURS
from benchmarks.show import Grid
from lambdas.lake.storage.raw_object import LARGEST_BYTES

KEPT = ROOT / "docs" / "performance" / "results.json"

SIZES = {"10 MB": 10_000_000, "1 GB": 1_000_000_000, "10 GB": 10_000_000_000}
"""What each export of the night brings."""
EXPORTS = 10

# Assumed. A function's network: AWS promises nothing, 600 Mbit/s each way is what people measure.
NETWORK = 75e6
# Looks at a batch until it is finished: about half an hour of growing waits.
POLLS = 10
# Beyond the first look, each has a wait, a call and a choice, and so many events of history.
STATES_A_POLL, EVENTS_A_POLL = 3, 9
# Calls of the ledger an export, counted generously in the code of the steps.
LEDGER_WRITES = LEDGER_READS = 40
# Figures an export: six for itself and a share of the roll-up, and three that the watch sends.
METRIC_HOURS = 10
# A night's three days overlap by two with the last night's, so a third of what comes is new.
NEW_SHARE = 1 / 3
DAYS = 3
RAW_DAYS = 400
SUPERSEDED_DAYS = 30

# Of AWS.
MEMORY_A_PROCESSOR = 1769
CALL_SECONDS = 900
DISK_BYTES = 10_240 << 20
MEMORIES = (256, 512, 1024, 1769, 2048, 3008, 3538, 5307)
PART_BYTES = 16 << 20
MOST_PARTS = 10_000
FILE_PART_BYTES = 8 << 20
HISTORY_EVENTS = 25_000
_GB = 1e9
_MONTH_NIGHTS = 30
_YEAR_NIGHTS = 365


class Unmeasured(Exception):
    """The run lacks a part that the cost follows from; the text is a sentence."""


@dataclass(frozen=True)
class Trend:
    """A figure that grows in a line with a size."""

    start: float
    slope: float

    def at(self, size: float) -> float:
        """The figure at that size."""
        return self.start + self.slope * size

    def size_for(self, figure: float) -> float:
        """The size at which the figure is reached; infinite when it does not grow."""
        return (figure - self.start) / self.slope if self.slope > 0 else math.inf


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """The line through the smallest and the largest size; from one size alone, through zero."""
    (small, low), (large, high) = min(points), max(points)
    if small == large:
        return Trend(0.0, high / large)
    slope = max(0.0, (high - low) / (large - small))
    return Trend(max(0.0, low - slope * small), slope)


@dataclass(frozen=True)
class Night:
    """What one export of a size takes, and what a night of ten of them costs."""

    copy_seconds: float
    load_seconds: float
    load_calls: int
    disk_bytes: float
    copy_peak: float
    load_peak: float
    events: int
    dollars: Mapping[str, float]
    """An export's, by service."""

    @property
    def night(self) -> float:
        """Ten exports' dollars."""
        return EXPORTS * sum(self.dollars.values())


@dataclass(frozen=True)
class Model:
    """How costs follow from the numbers of a run."""

    parts: Mapping[str, Sequence[Mapping[str, Any]]]

    def _lines(self, part: str) -> list[Mapping[str, Any]]:
        found = [line for line in self.parts.get(part, ()) if not line.get("failed")]
        if not found:
            raise Unmeasured(f"The run has no numbers of the part '{part}', and costs follow from them.")
        return found

    def _ours(self, part: str) -> list[Mapping[str, Any]]:
        found = [line for line in self._lines(part) if line["subject"] == OURS]
        if not found:
            raise Unmeasured(f"The run has no numbers of this project in the part '{part}'.")
        return found

    @cached_property
    def shapes(self) -> Mapping[str, Mapping[str, int]]:
        """Memory (MiB), seconds and disk (MiB) of each function."""
        found: Mapping[str, Mapping[str, int]] = next(
            line["functions"] for line in self._lines("deploy") if line["subject"] == "template"
        )
        return found

    @cached_property
    def resources(self) -> Mapping[str, int]:
        """How many resources of each kind are deployed."""
        found: Mapping[str, int] = next(
            line["resources"] for line in self._lines("deploy") if line["subject"] == "template"
        )
        return found

    def processors(self, function: str, memory: int | None = None) -> float:
        """How many a function has, by its memory or another."""
        return (memory or self.shapes[function]["memory"]) / MEMORY_A_PROCESSOR

    # The load

    @cached_property
    def _load_shape(self) -> list[Mapping[str, Any]]:
        """The load's lines for the container that takes longer: nobody has published which one comes."""
        lines = self._ours("load")
        slowest = max(lines, key=lambda line: (line["megabytes"], line["wall"]))["shape"]
        return [line for line in lines if line["shape"] == slowest]

    def _load_trend(self, figure: str) -> Trend:
        return trend([(line["bytes"], line[figure]) for line in self._load_shape])

    @cached_property
    def row_bytes(self) -> float:
        """What a record takes in raw."""
        line = self._load_shape[-1]
        return float(line["bytes"] / line["rows"])

    @cached_property
    def parquet_share(self) -> float:
        """What a table takes of what came."""
        line = self._load_shape[-1]
        return float(line["writtenBytes"] / line["bytes"])

    @cached_property
    def merge_row(self) -> tuple[float, float]:
        """Wall and processor seconds for a row that is stored already, beyond the load of what is new."""
        (line,) = self._ours("merge")[:1]
        wall = line["wall"] - self._load_trend("wall").at(line["newBytes"])
        cpu = line["cpu"] - self._load_trend("cpu").at(line["newBytes"])
        return max(0.0, wall) / line["storedRows"], max(0.0, cpu) / line["storedRows"]

    def load_seconds(self, size: float, memory: int | None = None) -> float:
        """The load of an export whose days are stored already, on Lambda: computing, and the network to and from S3."""
        rows = size / self.row_bytes
        wall = self._load_trend("wall").at(size) + rows * self.merge_row[0]
        cpu = self._load_trend("cpu").at(size) + rows * self.merge_row[1]
        moved = size * (1 + 2 * self.parquet_share)
        return max(wall, cpu / self.processors("load_result", memory)) + moved / NETWORK

    # The copy

    def copy_seconds(self, size: float, memory: int | None = None) -> float:
        """The copy on Lambda."""
        lines = self._ours("copy")
        wall = trend([(line["bytes"], line["wall"]) for line in lines]).at(size)
        cpu = trend([(line["bytes"], line["cpu"]) for line in lines]).at(size)
        return max(wall, cpu / self.processors("copy_result", memory), size / NETWORK)

    # All

    @cached_property
    def idle(self) -> list[Mapping[str, Any]]:
        """The exports of an idle night whose functions are cold."""
        found = [line for line in self._lines("idle") if line.get("night") == COLD]
        if not found:
            raise Unmeasured("The run has no numbers of an idle night.")
        return found

    def step_seconds(self, step: str) -> float:
        """What a step of an idle night takes, its cold start included."""
        return median(line["steps"].get(step, 0.0) for line in self.idle)

    def night(self, size: float) -> Night:
        """A night whose exports each bring that much."""
        copy, load = self.copy_seconds(size), self.load_seconds(size)
        seconds = {
            "plan_run": self.step_seconds("PlanRun"),
            "start_export": self.step_seconds("StartExport"),
            "check_batch": self.step_seconds("CheckBatch") * POLLS,
            "copy_result": self.step_seconds("CopyResult") + copy,
            "load_result": self.step_seconds("LoadResult") + load,
            "close_run": self.step_seconds("CloseRun"),
        }
        gb_seconds = sum(self.shapes[name]["memory"] / 1024 * each for name, each in seconds.items())
        disk = max(0, self.shapes["load_result"]["disk"] - 512) / 1024 * seconds["load_result"]
        calls = max(1, math.ceil(load / CALL_SECONDS))
        states = max(line["states"] for line in self.idle) + (POLLS - 1) * STATES_A_POLL
        written = size * self.parquet_share
        puts = math.ceil(size / PART_BYTES) + 3 + DAYS + math.ceil(written / FILE_PART_BYTES) + 10
        gets = math.ceil(size / PART_BYTES) + math.ceil(written / FILE_PART_BYTES) + DAYS + 20
        return Night(
            copy,
            load,
            calls,
            self._load_trend("disk").at(size),
            _peak(self._ours("copy"), size),
            _peak(self._ours("load"), size),
            max(line["events"] for line in self.idle) + (POLLS - 1) * EVENTS_A_POLL,
            {
                "Lambda": gb_seconds * prices.LAMBDA_GB_SECOND
                + disk * prices.LAMBDA_DISK_GB_SECOND
                + (len(seconds) + POLLS) * prices.LAMBDA_REQUEST,
                "Step Functions": states * prices.STATE_TRANSITION,
                "S3 requests": puts * prices.S3_PUT + gets * prices.S3_GET,
                "other": LEDGER_WRITES * prices.DYNAMODB_WRITE
                + LEDGER_READS * prices.DYNAMODB_READ
                + METRIC_HOURS * prices.METRIC_HOUR
                + self.log_bytes / _GB * prices.LOG_GB
                + 3 * prices.SECRET_CALL,
            },
        )

    @cached_property
    def log_bytes(self) -> float:
        """What an export logs."""
        return float(next((line["logBytes"] for line in self._lines("idle") if "logBytes" in line), 0))

    @property
    def month(self) -> float:
        """What a month costs whatever comes: alarms and the secret."""
        return self.resources.get("AWS::CloudWatch::Alarm", 0) * prices.ALARM_MONTH + prices.SECRET_MONTH

    def storage_after_a_year(self, size: float) -> float:
        """Dollars a month for what lies in the bucket after a year."""
        raw = size * EXPORTS * min(RAW_DAYS, _YEAR_NIGHTS)
        tables = size * NEW_SHARE * self.parquet_share * EXPORTS * _YEAR_NIGHTS
        superseded = size * self.parquet_share * EXPORTS * SUPERSEDED_DAYS
        return (raw + tables + superseded) / _GB * prices.S3_GB_MONTH

    # Limits

    def load_size_for_a_call(self) -> float:
        """The largest export that one call of the load has the time for."""
        return _largest(lambda size: self.load_seconds(size) <= CALL_SECONDS)

    def copy_size_for_a_call(self) -> float:
        """The largest export that one call of the copy has the time for."""
        return _largest(lambda size: self.copy_seconds(size) <= CALL_SECONDS)

    def load_size_for_the_disk(self) -> float:
        """The largest export whose working files the function's disk holds."""
        return self._load_trend("disk").size_for(DISK_BYTES)

    def largest_load(self) -> float:
        """The largest file that was measured, in bytes."""
        return float(max(line["bytes"] for line in self._ours("load")))


def _peak(lines: Sequence[Mapping[str, Any]], size: float) -> float:
    """The highest peak of what was measured up to a size, or of the smallest file where all are larger."""
    smallest = min(line["bytes"] for line in lines)
    return float(max(line["peak"] for line in lines if line["bytes"] <= max(1.05 * size, smallest)))


def _largest(fits: Any) -> float:
    """The largest size that fits, to a thousandth, by halving; at most a petabyte."""
    low, high = 0.0, 1e15
    while high - low > max(1.0, low / 1000):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low


# Tables


def grids(document: Mapping[str, Any]) -> Iterator[Grid]:
    """The tables of a night, of its dollars, of limits, and of the functions' shapes.

    Raises:
        Unmeasured: the run lacks a part.
    """
    model = Model(document["parts"])
    nights = {name: (size, model.night(size)) for name, size in SIZES.items()}
    yield Grid(
        "A night, each of ten exports",
        (
            "each export",
            "copy s",
            "load s",
            "load's calls",
            "copy's peak",
            "load's peak",
            "load's disk",
            "history events",
        ),
        tuple(
            (
                name,
                f"{night.copy_seconds:,.0f}",
                f"{night.load_seconds:,.0f}",
                f"{night.load_calls}",
                _size(night.copy_peak),
                _size(night.load_peak),
                _size(night.disk_bytes),
                f"{night.events}",
            )
            for name, (_, night) in nights.items()
        ),
    )
    services = list(next(iter(nights.values()))[1].dollars)
    yield Grid(
        "Dollars",
        (
            "each export",
            *services,
            "a night of ten",
            "a month, with alarms and secret",
            "storage a month, after a year",
            "one query over a night's rows",
        ),
        tuple(
            (
                name,
                *(f"{EXPORTS * night.dollars[service]:.3f}" for service in services),
                f"{night.night:.2f}",
                f"{_MONTH_NIGHTS * night.night + model.month:,.2f}",
                f"{model.storage_after_a_year(size):,.2f}",
                f"{max(10e6, size * model.parquet_share) / 1e12 * prices.ATHENA_TB:.5f}",
            )
            for name, (size, night) in nights.items()
        ),
    )
    yield Grid(
        "Limits",
        ("limit", "of", "an export reaches it at"),
        (
            ("one call of the load", f"{CALL_SECONDS} s", _size(model.load_size_for_a_call())),
            ("the load's disk", _size(DISK_BYTES), _size(model.load_size_for_the_disk())),
            (
                "one call of the copy, which goes on in the next",
                f"{CALL_SECONDS} s",
                _size(model.copy_size_for_a_call()),
            ),
            ("parts of an upload", f"{MOST_PARTS:,} of 16 MiB", _size(PART_BYTES * MOST_PARTS)),
            ("what a load takes; more is refused", _size(LARGEST_BYTES), _size(LARGEST_BYTES)),
            ("the largest file measured in this run", "", _size(model.largest_load())),
        ),
        words=2,
    )
    yield _shapes(model, document["parts"])
    yield _memories(model)


def _shapes(model: Model, parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> Grid:
    """What each function is given and what it has taken."""
    peaks = next((line["peaks"] for line in parts.get("idle", ()) if "peaks" in line), {})
    by_part = {"copy_result": "copy", "load_result": "load"}
    slowest = dict.fromkeys(model.shapes, 0.0)
    for line in (line for line in parts.get("idle", ()) if "steps" in line):
        for step, seconds in line["steps"].items():
            slowest[_snake(step)] = max(slowest[_snake(step)], seconds)
    rows = []
    for name, shape in model.shapes.items():
        measured = [line["peak"] for line in parts.get(by_part.get(name, ""), ()) if line["subject"] == OURS]
        imported = [line for line in parts.get("imports", ()) if line["subject"] == name]
        peak = max([peaks.get(name, 0), *measured, *(line["peak"] for line in imported)])
        start = max((line["cpu"] / min(1.0, model.processors(name)) for line in imported), default=0.0)
        rows.append(
            (
                name,
                f"{shape['memory']:,}",
                f"{peak / (1 << 20):,.0f}",
                f"{shape['memory'] / (peak / (1 << 20)):.1f} ×" if peak else "–",
                f"{start:.1f}" if start else "–",
                f"{shape['seconds']}",
                f"{slowest[name]:.1f}" if slowest[name] else "–",
            )
        )
    columns = ("function", "memory MiB", "peak MiB", "room", "start s", "time-out s", "longest step s")
    return Grid("Functions", columns, tuple(rows))


def _memories(model: Model) -> Grid:
    """What the two large steps would take and cost for a gigabyte with other memory sizes."""

    def cells(function: str, seconds: float, memory: int) -> tuple[str, ...]:
        given = " (given)" if model.shapes[function]["memory"] == memory else ""
        return f"{seconds:,.0f}{given}", f"{1000 * seconds * memory / 1024 * prices.LAMBDA_GB_SECOND:.2f}"

    rows = tuple(
        (
            f"{memory:,}",
            *cells("copy_result", model.copy_seconds(1e9, memory), memory),
            *cells("load_result", model.load_seconds(1e9, memory), memory),
        )
        for memory in sorted({*MEMORIES, *(model.shapes[name]["memory"] for name in ("copy_result", "load_result"))})
    )
    columns = ("memory MiB", "copy s", "of 1 GB, $ / 1000", "load s", "of 1 GB, $ / 1000")
    return Grid("A gigabyte by memory", columns, rows, words=0)


def _snake(step: str) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in step).lstrip("_")


def _size(count: float) -> str:
    if math.isinf(count) or count >= 1e15:
        return "no size"
    return f"{count / 1e9:,.1f} GB" if count >= 1e9 else f"{count / 1e6:,.0f} MB"


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cost", description=__doc__)
    parser.add_argument("results", nargs="?", type=Path, default=KEPT, help="a run's results.json (default: the kept)")
    given = parser.parse_args()
    console = Console(soft_wrap=True)
    try:
        for grid in grids(json.loads(given.results.read_text())):
            grid.show(console)
    except Unmeasured as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
