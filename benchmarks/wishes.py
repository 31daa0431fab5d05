"""What a run of the benchmark is asked for, and where it works."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import ROOT

PEERS = ROOT / ".venv" / "bench" / "bin" / "python"
"""The Python that has the peers' packages and matplotlib, which are no dependencies of the project's own."""


@dataclass(frozen=True)
class Wishes:
    """The options, and a folder for what is made."""

    folder: Path
    tell: Callable[[str], None]
    sizes: tuple[int, ...] = (200, 1000)
    """Of the event file, in megabytes of 10^6 bytes."""
    peers_up_to: int = 1000
    """The largest size that peers are given."""
    slow_up_to: int = 200
    """The largest size that slow peers are given."""
    runs: int = 3
    """Counted runs of each subject."""
    stored_rows: int = 10_000_000
    """Rows of the day that is merged into."""
    copy_sizes: tuple[int, ...] = (200, 1000)
    """Of the copied file, in megabytes."""
    idle_events: int = 100
    """Events a day of an idle night."""
