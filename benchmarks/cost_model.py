"""How a night's duration and cost follow from the numbers of the benchmark.

A vCPU of Lambda counts as one core of the machine that measured. Whatever is assumed and not measured stands at the
head of this file.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from typing import Any

from benchmarks.parts.idle import COLD
from benchmarks.parts.load import OURS
from local import prices

EXPORTS = 10

# Assumed. A function's network: AWS promises nothing, 600 Mbit/s each way is what people measure.
NETWORK = 75e6
# Status calls until a batch is finished: about half an hour of growing waits.
POLLS = 10
# Each status call after the first takes a wait, a task and a choice, and so many history events.
STATES_A_POLL, EVENTS_A_POLL = 3, 9
# Ledger calls per export, an upper estimate from the code of the steps.
LEDGER_WRITES = LEDGER_READS = 40
# Metrics per export: six of its own with a share of the roll-up, and three of the watch.
METRIC_HOURS = 10
# A night's three days overlap by two with the last night's, so a third of the records is new.
NEW_SHARE = 1 / 3
DAYS = 3
RAW_DAYS = 400
SUPERSEDED_DAYS = 30

# Limits of AWS.
MEMORY_PER_VCPU = 1769
CALL_SECONDS = 900
DISK_BYTES = 10_240 << 20
PART_BYTES = 16 << 20
FILE_PART_BYTES = 8 << 20
_GB = 1e9
_YEAR_NIGHTS = 365


class Unmeasured(Exception):
    """The numbers lack a part that the cost follows from; the text is a sentence."""


@dataclass(frozen=True)
class Trend:
    """A figure that grows linearly with a size."""

    start: float
    slope: float

    def at(self, size: float) -> float:
        """The figure at that size."""
        return self.start + self.slope * size

    def size_for(self, figure: float) -> float:
        """The size at which the figure is reached; infinite when it does not grow."""
        return (figure - self.start) / self.slope if self.slope > 0 else math.inf


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """The line through the smallest and the largest size; for a single size, through zero."""
    (small, low), (large, high) = min(points), max(points)
    if small == large:
        return Trend(0.0, high / large)
    slope = max(0.0, (high - low) / (large - small))
    return Trend(max(0.0, low - slope * small), slope)


@dataclass(frozen=True)
class Night:
    """What one export of a size takes, and what a night of ten costs."""

    copy_seconds: float
    load_seconds: float
    load_calls: int
    disk_bytes: float
    copy_peak: float
    load_peak: float
    events: int
    dollars: Mapping[str, float]
    """Of one export, by service."""

    @property
    def night(self) -> float:
        """Ten exports' dollars."""
        return EXPORTS * sum(self.dollars.values())


@dataclass(frozen=True)
class Model:
    """Duration and cost as functions of an export's size."""

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
    def function_sizes(self) -> Mapping[str, Mapping[str, int]]:
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
        """The vCPUs of a function, with its own memory or another."""
        return (memory or self.function_sizes[function]["memory"]) / MEMORY_PER_VCPU

    # The load

    @cached_property
    def _load_lines(self) -> list[Mapping[str, Any]]:
        """The load's lines for the slower container: the vendor does not document which one it sends."""
        lines = self._ours("load")
        slowest = max(lines, key=lambda line: (line["megabytes"], line["wall"]))["shape"]
        return [line for line in lines if line["shape"] == slowest]

    def _load_trend(self, figure: str) -> Trend:
        return trend([(line["bytes"], line[figure]) for line in self._load_lines])

    @cached_property
    def row_bytes(self) -> float:
        """Bytes of a record in raw."""
        line = self._load_lines[-1]
        return float(line["bytes"] / line["rows"])

    @cached_property
    def parquet_share(self) -> float:
        """The table's bytes as a share of the raw bytes."""
        line = self._load_lines[-1]
        return float(line["writtenBytes"] / line["bytes"])

    @cached_property
    def merge_row(self) -> tuple[float, float]:
        """Wall and CPU seconds for each row that is stored already, beyond the load of the new ones."""
        (line,) = self._ours("merge")[:1]
        wall = line["wall"] - self._load_trend("wall").at(line["newBytes"])
        cpu = line["cpu"] - self._load_trend("cpu").at(line["newBytes"])
        return max(0.0, wall) / line["storedRows"], max(0.0, cpu) / line["storedRows"]

    def load_seconds(self, size: float, memory: int | None = None) -> float:
        """The load on Lambda of an export whose days are stored already: compute, and transfer from and to S3."""
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
        """The median of a step in an idle night, its cold start included."""
        return float(median(line["steps"].get(step, 0.0) for line in self.idle))

    def night(self, size: float) -> Night:
        """A night whose exports have that size each."""
        copy, load = self.copy_seconds(size), self.load_seconds(size)
        return Night(
            copy_seconds=copy,
            load_seconds=load,
            load_calls=max(1, math.ceil(load / CALL_SECONDS)),
            disk_bytes=self._load_trend("disk").at(size),
            copy_peak=_peak(self._ours("copy"), size),
            load_peak=_peak(self._ours("load"), size),
            events=max(line["events"] for line in self.idle) + (POLLS - 1) * EVENTS_A_POLL,
            dollars=self._dollars(size, copy, load),
        )

    def _dollars(self, size: float, copy: float, load: float) -> Mapping[str, float]:
        """What an export costs by service, from its size and the seconds of its copy and its load."""
        seconds = {
            "plan_run": self.step_seconds("PlanRun"),
            "start_export": self.step_seconds("StartExport"),
            "check_batch": self.step_seconds("CheckBatch") * POLLS,
            "copy_result": self.step_seconds("CopyResult") + copy,
            "load_result": self.step_seconds("LoadResult") + load,
            "close_run": self.step_seconds("CloseRun"),
        }
        gb_seconds = sum(self.function_sizes[name]["memory"] / 1024 * each for name, each in seconds.items())
        disk = max(0, self.function_sizes["load_result"]["disk"] - 512) / 1024 * seconds["load_result"]
        states = max(line["states"] for line in self.idle) + (POLLS - 1) * STATES_A_POLL
        written = size * self.parquet_share
        puts = math.ceil(size / PART_BYTES) + 3 + DAYS + math.ceil(written / FILE_PART_BYTES) + 10
        gets = math.ceil(size / PART_BYTES) + math.ceil(written / FILE_PART_BYTES) + DAYS + 20
        return {
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
        }

    @cached_property
    def log_bytes(self) -> float:
        """Bytes that an export logs."""
        return float(next((line["logBytes"] for line in self._lines("idle") if "logBytes" in line), 0))

    @property
    def month(self) -> float:
        """The fixed cost of a month: alarms and the secret."""
        return self.resources.get("AWS::CloudWatch::Alarm", 0) * prices.ALARM_MONTH + prices.SECRET_MONTH

    def storage_after_a_year(self, size: float) -> float:
        """Dollars a month for the bucket's content after a year."""
        raw = size * EXPORTS * min(RAW_DAYS, _YEAR_NIGHTS)
        tables = size * NEW_SHARE * self.parquet_share * EXPORTS * _YEAR_NIGHTS
        superseded = size * self.parquet_share * EXPORTS * SUPERSEDED_DAYS
        return (raw + tables + superseded) / _GB * prices.S3_GB_MONTH

    # Limits

    def load_size_for_a_call(self) -> float:
        """The largest export that one call of the load finishes in time."""
        return _largest(lambda size: self.load_seconds(size) <= CALL_SECONDS)

    def copy_size_for_a_call(self) -> float:
        """The largest export that one call of the copy finishes in time."""
        return _largest(lambda size: self.copy_seconds(size) <= CALL_SECONDS)

    def load_size_for_the_disk(self) -> float:
        """The largest export whose working files the function's disk holds."""
        return self._load_trend("disk").size_for(DISK_BYTES)

    def largest_load(self) -> float:
        """The largest file that was measured, in bytes."""
        return float(max(line["bytes"] for line in self._ours("load")))


def _peak(lines: Sequence[Mapping[str, Any]], size: float) -> float:
    """The highest peak measured up to a size, or that of the smallest file where all are larger."""
    smallest = min(line["bytes"] for line in lines)
    return float(max(line["peak"] for line in lines if line["bytes"] <= max(1.05 * size, smallest)))


def _largest(fits: Callable[[float], bool]) -> float:
    """The largest size that fits, to a thousandth, by bisection; at most a petabyte."""
    low, high = 0.0, 1e15
    while high - low > max(1.0, low / 1000):
        middle = (low + high) / 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
