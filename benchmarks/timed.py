"""Run a command and record its wall time, CPU time and peaks: `python -I -S timed.py REPORT FOLDER COMMAND…`.

A small separate process, because on Linux a child's peak memory starts at that of its parent.
"""

import json
import os
import sys
import threading
import time
from pathlib import Path

# rusage counts kibibytes on Linux, bytes on macOS.
_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_SAMPLE_SECONDS = 0.2
_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
# `wait4` reports the largest process of a family; the sum of those that live at once must be sampled.
_ONE_PROCESS = 1


def family(pid: int) -> list[int]:
    """A process and all that descend from it."""
    found = [pid]
    for task in (_PROC / str(pid) / "task").glob("*/children"):
        for child in task.read_text().split():
            found += family(int(child))
    return found


def resident(pids: list[int]) -> int:
    """Resident bytes of these processes together."""
    return sum(int((_PROC / str(pid) / "statm").read_text().split()[1]) * _PAGE for pid in pids)


def on_disk(folder: Path) -> int:
    """Bytes of the files in the temporary folders below a folder: a function's use of its disk."""
    sizes = [path.stat().st_size for work in folder.glob("tmp*") for path in work.rglob("*") if path.is_file()]
    return sum(sizes)


class Watch(threading.Thread):
    """Samples the memory and disk of a process and its descendants."""

    def __init__(self, pid: int, folder: Path) -> None:
        super().__init__(daemon=True)
        self._pid, self._folder = pid, folder
        self.peak = self.disk = 0

    def run(self) -> None:
        while True:
            time.sleep(_SAMPLE_SECONDS)
            # Processes end and files go while they are sampled.
            try:
                pids = family(self._pid)
                if len(pids) > _ONE_PROCESS:
                    self.peak = max(self.peak, resident(pids))
                self.disk = max(self.disk, on_disk(self._folder))
            except (OSError, ValueError, IndexError):
                continue


def main() -> None:
    """Run, wait, and write the report."""
    report, folder, command = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:]
    start = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    watch = Watch(pid, folder)
    watch.start()
    _, status, usage = os.wait4(pid, 0)
    wall = time.perf_counter() - start
    document = {
        "wall": wall,
        "cpu": usage.ru_utime + usage.ru_stime,
        "peak": max(usage.ru_maxrss * _RSS_UNIT, watch.peak),
        "disk": watch.disk,
        "status": os.waitstatus_to_exitcode(status),
    }
    report.write_text(json.dumps(document))


main()
