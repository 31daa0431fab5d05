"""The parts of the benchmark, one module each. A part yields its lines, JSON objects, as soon as it has them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from benchmarks.options import BenchmarkOptions
from benchmarks.parts import copy, deploy, idle, imports, load, merge, report, shapes

Line = dict[str, Any]

PARTS: Mapping[str, Callable[[BenchmarkOptions], Iterator[Line]]] = {
    "load": load.measure,
    "shapes": shapes.measure,
    "merge": merge.measure,
    "report": report.measure,
    "copy": copy.measure,
    "imports": imports.measure,
    "deploy": deploy.measure,
    "idle": idle.measure,
}
"""All parts, in the order in which they are measured."""
