"""The options of the benchmark, and the folder that it works in."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT

PEERS = ROOT / ".venv" / "bench" / "bin" / "python"
"""The Python with the peers' packages and matplotlib, which are no dependencies of the project."""


@dataclass(frozen=True)
class BenchmarkOptions:
    """What to measure, in which sizes, and where."""

    folder: Path
    report: Callable[[str], None]
    sizes: tuple[int, ...] = (200, 1000)
    """Sizes of the event file, in megabytes of 10^6 bytes."""
    peers_up_to: int = 1000
    """The largest size for peers."""
    slow_up_to: int = 200
    """The largest size for slow peers."""
    repetitions: int = 3
    """Counted repetitions of each subject."""
    shape_megabytes: int = 200
    """Size of the file of each shape, in megabytes of 10^6 unpacked bytes."""
    stored_rows: int = 10_000_000
    """Rows of the day that is merged into."""
    copy_sizes: tuple[int, ...] = (200, 1000)
    """Sizes of the copied file, in megabytes."""
    report_events: int = 10_000_000
    """Events of the days that the morning report reads."""
    idle_events: int = 100
    """Events a day of an idle night."""
