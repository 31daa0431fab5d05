"""The folder that a load works in: what a killed load has left is gone before the next one needs the disk."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lambdas.handlers import clients, load_result
from lambdas.handlers.work_folder import work_folder
from tests.conftest import ROOT

KILLED = """
import os
from lambdas.handlers.work_folder import work_folder
with work_folder() as folder:
    (folder / "spill").mkdir()
    (folder / "spill" / "rows").write_bytes(b"rows")
    os.kill(os.getpid(), 9)
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path


def folders(temporary: Path) -> list[Path]:
    return [path for path in temporary.iterdir() if path.is_dir()]


def kill_a_load(temporary: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLED], check=False, cwd=ROOT, env={"TMPDIR": str(temporary)})


def test_what_a_killed_load_left_is_removed_at_the_start_of_the_next(temporary: Path) -> None:
    kill_a_load(temporary)
    (left,) = folders(temporary)
    assert (left / "spill" / "rows").exists()

    with work_folder() as folder:
        assert folders(temporary) == [folder]
    assert folders(temporary) == []


def test_the_folder_of_a_load_that_is_at_work_stays(temporary: Path) -> None:
    with work_folder() as first:
        with work_folder() as second:
            assert set(folders(temporary)) == {first, second}
        assert folders(temporary) == [first]


def test_a_load_removes_what_is_left_before_it_begins(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kill_a_load(temporary)
    seen: list[Path] = []

    def step(*_: object, folder: Path, **__: object) -> None:
        seen.extend(folders(temporary))
        raise RuntimeError(folder)

    for name in ("ledger", "s3", "landing", "store", "catalog", "settings"):
        monkeypatch.setattr(clients, name, lambda *_: None)
    monkeypatch.setattr(load_result, "load_result", step)
    event = {
        "execution": {"arn": "arn:aws:states:eu-west-1:1:execution:lake:run-a", "startedAt": "2026-11-24T03:30:00Z"},
        "state": {"exportType": "OPENS"},
    }
    with pytest.raises(RuntimeError) as raised:
        load_result.handler(event, None)

    assert seen == [raised.value.args[0]]
    assert folders(temporary) == []
