"""What was started for a folder is found and stopped, also when the command that started it was killed."""

import os
import sys
from pathlib import Path

import psutil
import pytest

from local.processes import start, stop_all

SLEEP = "import time; time.sleep(60)"
# Starts another in a session of its own, prints its pid and ends.
PARENT = f"""
import subprocess, sys
print(subprocess.Popen([sys.executable, "-c", {SLEEP!r}], start_new_session=True, stdout=subprocess.DEVNULL).pid)
"""


def test_what_an_ended_process_has_started_is_stopped(tmp_path: Path) -> None:
    """A command that was killed leaves children behind that no other process knows of."""
    parent = start("parent", [sys.executable, "-c", PARENT], os.environ, tmp_path, is_read=True)
    output, _ = parent.handle.communicate()
    child = psutil.Process(int(output))

    assert stop_all(tmp_path)

    assert not child.is_running() or child.status() == psutil.STATUS_ZOMBIE
    assert not stop_all(tmp_path)


@pytest.mark.parametrize("name", ["other", "folder-2"])
def test_processes_of_another_folder_keep_running(tmp_path: Path, name: str) -> None:
    """Clouds of several folders run side by side."""
    (tmp_path / name).mkdir()
    (tmp_path / "folder").mkdir()
    other = start("other", [sys.executable, "-c", SLEEP], os.environ, tmp_path / name)
    try:
        assert not stop_all(tmp_path / "folder")
        assert other.process.is_alive
    finally:
        other.process.stop()
        other.handle.wait()
