"""A night's duration and cost as tables, from the numbers of the benchmark: `python -m benchmarks.cost [RESULTS]`."""

import argparse
import json
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks.cost_model import CALL_SECONDS, DISK_BYTES, EXPORTS, PART_BYTES, Model, Night, Unmeasured
from benchmarks.measure import ROOT
from benchmarks.parts.load import OURS
from benchmarks.show import Grid
from lambdas.lake.storage.raw_object import LARGEST_BYTES
from local import prices

KEPT = ROOT / "docs" / "performance" / "results.json"

SIZES = {"10 MB": 10_000_000, "1 GB": 1_000_000_000, "10 GB": 10_000_000_000}
"""The size of each export of the night."""

# Of a multipart upload.
_MOST_PARTS = 10_000
_MEMORIES = (256, 512, 1024, 1769, 2048, 3008, 3538, 5307)
_MONTH_NIGHTS = 30


def grids(document: Mapping[str, Any]) -> Iterator[Grid]:
    """The tables of a night, its dollars, the limits, the functions' sizes, and other memory sizes.

    Raises:
        Unmeasured: the numbers lack a part.
    """
    model = Model(document["parts"])
    nights = {name: model.night(size) for name, size in SIZES.items()}
    yield _nights(nights)
    yield _dollars(model, nights)
    yield _limits(model)
    yield _functions(model, document["parts"])
    yield _memories(model)


def _nights(nights: Mapping[str, Night]) -> Grid:
    rows = tuple(
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
        for name, night in nights.items()
    )
    measures = ("copy s", "load s", "load's calls", "copy's peak", "load's peak", "load's disk", "history events")
    return Grid("A night, each of ten exports", ("each export", *measures), rows)


def _dollars(model: Model, nights: Mapping[str, Night]) -> Grid:
    services = list(next(iter(nights.values())).dollars)
    rows = tuple(
        (
            name,
            *(f"{EXPORTS * night.dollars[service]:.3f}" for service in services),
            f"{night.night:.2f}",
            f"{_MONTH_NIGHTS * night.night + model.month:,.2f}",
            f"{model.storage_after_a_year(SIZES[name]):,.2f}",
            f"{max(10e6, SIZES[name] * model.parquet_share) / 1e12 * prices.ATHENA_TB:.5f}",
        )
        for name, night in nights.items()
    )
    sums = (
        "a night of ten",
        "a month, with alarms and secret",
        "storage a month, after a year",
        "one query over a night's rows",
    )
    return Grid("Dollars", ("each export", *services, *sums), rows)


def _limits(model: Model) -> Grid:
    call = f"{CALL_SECONDS} s"
    rows = (
        ("one call of the load", call, _size(model.load_size_for_a_call())),
        ("the load's disk", _size(DISK_BYTES), _size(model.load_size_for_the_disk())),
        ("one call of the copy, which the next one resumes", call, _size(model.copy_size_for_a_call())),
        ("parts of an upload", f"{_MOST_PARTS:,} of 16 MiB", _size(PART_BYTES * _MOST_PARTS)),
        ("what a load takes; more is refused", _size(LARGEST_BYTES), _size(LARGEST_BYTES)),
        ("the largest file measured in this run", "", _size(model.largest_load())),
    )
    return Grid("Limits", ("limit", "of", "an export reaches it at"), rows, words=2)


def _functions(model: Model, parts: Mapping[str, Sequence[Mapping[str, Any]]]) -> Grid:
    """What each function is given, and what it took."""
    peaks: Mapping[str, int] = next((line["peaks"] for line in parts.get("idle", ()) if "peaks" in line), {})
    by_part = {"copy_result": "copy", "load_result": "load"}
    slowest = dict.fromkeys(model.function_sizes, 0.0)
    for line in (line for line in parts.get("idle", ()) if "steps" in line):
        for step, seconds in line["steps"].items():
            slowest[_snake(step)] = max(slowest[_snake(step)], seconds)
    rows = []
    for name, size in model.function_sizes.items():
        measured = [line["peak"] for line in parts.get(by_part.get(name, ""), ()) if line["subject"] == OURS]
        imported = [line for line in parts.get("imports", ()) if line["subject"] == name]
        peak = max([peaks.get(name, 0), *measured, *(line["peak"] for line in imported)])
        start = max((line["cpu"] / min(1.0, model.processors(name)) for line in imported), default=0.0)
        rows.append(
            (
                name,
                f"{size['memory']:,}",
                f"{peak / (1 << 20):,.0f}",
                f"{size['memory'] / (peak / (1 << 20)):.1f} ×" if peak else "–",
                f"{start:.1f}" if start else "–",
                f"{size['seconds']}",
                f"{slowest[name]:.1f}" if slowest[name] else "–",
            )
        )
    columns = ("function", "memory MiB", "peak MiB", "headroom", "start s", "time-out s", "longest step s")
    return Grid("Functions", columns, tuple(rows))


def _memories(model: Model) -> Grid:
    """Duration and cost of the two large steps for a gigabyte by memory size."""

    def cells(function: str, seconds: float, memory: int) -> tuple[str, ...]:
        given = " (given)" if model.function_sizes[function]["memory"] == memory else ""
        return f"{seconds:,.0f}{given}", f"{1000 * seconds * memory / 1024 * prices.LAMBDA_GB_SECOND:.2f}"

    rows = tuple(
        (
            f"{memory:,}",
            *cells("copy_result", model.copy_seconds(1e9, memory), memory),
            *cells("load_result", model.load_seconds(1e9, memory), memory),
        )
        for memory in sorted(
            {*_MEMORIES, *(model.function_sizes[name]["memory"] for name in ("copy_result", "load_result"))}
        )
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
    parser.add_argument(
        "results", nargs="?", type=Path, default=KEPT, help="a results.json (default: the published one)"
    )
    given = parser.parse_args()
    console = Console(soft_wrap=True)
    try:
        for grid in grids(json.loads(given.results.read_text())):
            grid.show(console)
    except Unmeasured as error:
        parser.exit(1, f"{error}\n")


if __name__ == "__main__":
    main()
