"""The embedded cloud, booted once for the tests of a folder that need it, by the command that the README gives."""

import gc
import io
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from unittest.mock import patch

import pytest

from local import deployment, lifecycle
from local.cli import HOME_VARIABLE, main
from local.cloud import Cloud, boot
from local.lifecycle import Running
from local.processes import stop_all

ROOT = Path(__file__).parent.parent
_CLOUDS = {"cloud_home", "bare_cloud"}


# As `make` does: what jsii and CDK start is the Node of this environment, and not one of the machine's.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.prefix) / "bin"), os.environ.get("PATH", os.defpath)])


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Give the session one folder for all temporary files, of its workers and of what they start, and remove it."""
    # While everything is imported, there is no garbage.
    gc.disable()
    if hasattr(config, "workerinput"):
        return
    before, folder = os.environ.get("TMPDIR"), tempfile.mkdtemp(prefix="lake-tests-")
    os.environ["TMPDIR"] = folder
    tempfile.tempdir = None

    def clear() -> None:
        os.environ.pop("TMPDIR")
        if before is not None:
            os.environ["TMPDIR"] = before
        tempfile.tempdir = None
        shutil.rmtree(folder, ignore_errors=True)

    config.add_cleanup(clear)


def pytest_unconfigure() -> None:
    """Let go of all modules: Hypothesis's callback would keep them to the end, and DuckDB reports that as a leak."""
    gc.callbacks.clear()
    gc.unfreeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> Iterator[None]:
    """Keep tests that share a cloud or templates in one worker, so that these are made once, and begin with them.

    Those with a cloud are the longest: the tests of a folder, and apart from them those that deploy their own stacks.
    """
    for item in items:
        names = getattr(item, "fixturenames", ())
        if item.path.parent.name == "infra" and hasattr(getattr(item, "module", None), "Template"):
            item.add_marker(pytest.mark.xdist_group("template"))
        if _CLOUDS & {*names}:
            item.add_marker(pytest.mark.xdist_group("bare" if "bare_cloud" in names else item.path.parent.name))
    yield
    # Whatever order they were brought into meanwhile, at random for one. The short unit tests fill up the end.
    items.sort(key=_turn)


def pytest_collection_finish() -> None:
    """Keep what all tests share out of garbage collection: a tenth of their time went into looking through it."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    gc.enable()


def _turn(item: pytest.Item) -> int:
    """When a test begins: the longest first (clouds, which wait for half of their time), short unit tests at the end.

    The local folder's cloud begins after the demos: with all of them at once, nobody uses the cores while they wait.
    """
    if _CLOUDS & {*getattr(item, "fixturenames", ())}:
        return 0 if item.path.parent.name == "workflow" else 2
    return 1 if item.path.name == "test_demo.py" else 4 if "unit" in item.path.parts else 3


def local(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the local cloud as a user does, in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", "local", *words],
        cwd=ROOT,
        env={**os.environ, HOME_VARIABLE: str(home), **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def local_in_process(*words: str, home: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command of the local cloud in this process: one of its own spends a second on its imports."""
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err), patch.dict(os.environ, {HOME_VARIABLE: str(home), **environment}):
        try:
            status = main(words)
        except SystemExit as ended:
            status = int(ended.code or 0)
    return subprocess.CompletedProcess(words, status, out.getvalue(), err.getvalue())


@contextmanager
def booted(home: Path, *words: str) -> Iterator[Path]:
    """A local cloud that keeps its files there, started with those words beside `up`."""
    done = local("up", *words, home=home)
    assert done.returncode == 0, done.stdout + done.stderr
    yield home
    # Stopped and no more: to remove the many files of its functions takes half a minute, and pytest does it later.
    for folder in home.glob("cloud-*"):
        stop_all(folder)


@pytest.fixture(scope="session")
def cloud_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Where the session's local cloud keeps its files."""
    with booted(tmp_path_factory.mktemp("local"), "--setting", "nightlySummary=true") as home:
        # At the end of each of a hundred runs, the morning report would keep a core busy.
        running = lifecycle.current(home)
        running.cloud.client("events").disable_rule(Name=f"{running.deployment.stack}-ended")
        yield home


@dataclass(frozen=True)
class BareCloud:
    """An embedded cloud on which a test deploys what it needs."""

    cloud: Cloud
    folder: Path
    """Where it keeps its files."""


@pytest.fixture(scope="session")
def bare_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BareCloud]:
    """A cloud that is bootstrapped for CDK, and has no stack yet."""
    folder = tmp_path_factory.mktemp("bare")
    try:
        cloud = boot(folder, None, lifecycle.STANDIN_WAIT_SCALE)
        deployment.bootstrap(cloud, folder)
        yield BareCloud(cloud, folder)
    finally:
        stop_all(folder)


@pytest.fixture(scope="session")
def running(cloud_home: Path) -> Running:
    """The session's local cloud with the stack deployed and the stand-in Symplify."""
    return lifecycle.current(cloud_home)
