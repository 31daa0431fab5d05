"""The embedded cloud, booted once for the tests of a folder that need it, by the command that the README gives."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from local import lifecycle
from local.cli import HOME_VARIABLE
from local.lifecycle import Running
from local.processes import stop_all

ROOT = Path(__file__).parent.parent


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep tests that share a cloud in one worker, so that it is booted once for them, and begin with these groups.

    They are the longest: the tests of a folder, and apart from them those that share a stack of their own (`stage`).
    """
    for item in items:
        names = getattr(item, "fixturenames", ())
        if "cloud_home" in names:
            item.add_marker(pytest.mark.xdist_group("stage" if "stage" in names else item.path.parent.name))
    yield
    # Whatever order they were brought into meanwhile, at random for one. The short unit tests fill up the end.
    items.sort(key=lambda item: ("cloud_home" not in getattr(item, "fixturenames", ()), "unit" in item.path.parts))


def local(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the local cloud as a user does."""
    return subprocess.run(
        [sys.executable, "-m", "local", *words],
        cwd=ROOT,
        env={**os.environ, HOME_VARIABLE: str(home), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture(scope="session")
def cloud_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the session's local cloud keeps its files."""
    home = tmp_path_factory.mktemp("local")
    done = local("up", home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    yield home
    # Stopped and no more: to remove the many files of its functions takes half a minute, and pytest does it later.
    for folder in home.glob("cloud-*"):
        stop_all(folder)


@pytest.fixture(scope="session")
def running(cloud_home: Path) -> Running:
    """The session's local cloud with the stack deployed and the stand-in Symplify."""
    return lifecycle.current(cloud_home)
