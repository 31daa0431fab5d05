"""The README is true: its commands run, its promises have tests, its numbers are those of the measurements."""

import re
import shlex
import subprocess
from pathlib import Path

from local.lifecycle import Running
from tests.conftest import ROOT, local

README = (ROOT / "README.md").read_text()
LOCAL = (".venv/bin/python", "-m", "local")
# Run by the tests themselves, by `test_demo.py`, or against a real account alone.
ELSEWHERE = ("make test", "make demo", "make bootstrap", "make deploy", "aws ")


def commands() -> list[str]:
    blocks = re.findall(r"^ *```sh\n(.*?)^ *```", README, re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_every_command_is_run_by_a_test_or_needs_aws() -> None:
    for command in commands():
        assert command.startswith((" ".join(LOCAL), *ELSEWHERE)), command


def test_every_local_command_works_as_printed(cloud_home: Path, running: Running) -> None:
    words = [shlex.split(command)[len(LOCAL) :] for command in commands() if command.startswith(LOCAL[0])]
    steps = [word for word in words if word[0] not in ("up", "down")]
    assert [word[0] for word in steps] == [
        "status",
        "nightly",
        "run",
        "replay",
        "profile",
        "query",
        "query",
        "query",
        "report",
    ]
    # `up` has started the cloud that this test is given, and `down` ends it after the last test.
    for command in steps:
        done = local(*command, home=cloud_home)
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout
        assert "no rows" not in done.stdout


def test_every_make_target_that_it_names_exists() -> None:
    shown = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = {line.split()[0] for line in shown.splitlines() if line}
    assert set(re.findall(r"`?make ([a-z-]+)", README)) <= targets | {"and"}


def test_every_promise_is_held_by_tests_that_exist() -> None:
    rows = re.findall(
        r"^\| ([A-Z].*) \| (.*) \|$", README.split("## What you can rely on")[1].split("\n## ")[0], re.MULTILINE
    )
    assert len(rows) > 5
    for promise, tests in rows:
        links = re.findall(r"\[`(test_\w+)`\]\((tests/[\w/]+\.py)\)", tests)
        assert links, promise
        for name, path in links:
            assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), f"{path}: {name}"


def test_the_costs_are_those_of_the_measurements() -> None:
    measured = (ROOT / "docs" / "performance.md").read_text()
    rows = re.findall(
        r"^\| (\d+ [MG]B) \| (.*) \|$", README.split("## What it costs")[1].split("\n## ")[0], re.MULTILINE
    )
    assert len(rows) == 2
    for size, columns in rows:
        (seconds,) = re.findall(rf"^\| {size} \| \d+ \| (\d+) \| \d+ \| \d+ MB", measured, re.MULTILINE)
        (dollars,) = re.findall(rf"^\| {size} \| 0\.(?:[^|]*\|){{4}}([^|]*\|[^|]*\|[^|]*)\|", measured, re.MULTILINE)
        assert columns.split(" | ") == [*(cell.strip() for cell in dollars.split("|")), f"{seconds} s"], size
