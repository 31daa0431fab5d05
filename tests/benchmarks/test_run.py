"""The benchmark continues after a part that fails, and keeps its lines."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import benchmarks.__main__ as bench
from benchmarks import page
from benchmarks.measure import Failed
from benchmarks.options import BenchmarkOptions
from local import interrupts


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(bench, "BUILD", tmp_path)
    monkeypatch.setattr(interrupts, "install", lambda: None)
    monkeypatch.setattr(bench, "_SECOND_CHANCE_SECONDS", 0.0)
    return tmp_path


def played(monkeypatch: pytest.MonkeyPatch, how: BaseException) -> None:
    def breaking(_: BenchmarkOptions) -> Iterator[dict[str, Any]]:
        yield {"subject": "plan_run", "hasEngine": False, "wall": 0.3, "cpu": 0.3, "peak": 1}
        raise how

    def whole(_: BenchmarkOptions) -> Iterator[dict[str, Any]]:
        yield {"subject": "synth", "wall": 5.0, "walls": [5.0]}

    monkeypatch.setattr(bench, "PARTS", {"imports": breaking, "deploy": whole})


@pytest.mark.parametrize(
    ("how", "reported"),
    [
        (Failed("The cloud did not start."), "The cloud did not start."),
        (KeyboardInterrupt(), "interrupted"),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
    ids=["failed", "interrupted", "a bug"],
)
def test_part_that_ends_early_is_reported_and_the_others_follow(
    build: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    how: BaseException,
    reported: str,
) -> None:
    played(monkeypatch, how)
    assert bench.main([]) == 1
    document = json.loads((build / "results.json").read_text())
    assert document["failures"]["imports"] == reported
    assert [line["subject"] for lines in document["parts"].values() for line in lines] == ["plan_run", "synth"]
    assert reported in capsys.readouterr().out
    verdicts = {one["target"]: one["verdict"] for one in document["verdicts"]}
    assert verdicts["Cold import of every function but the load"] == "met"


def test_parts_are_chosen_by_name(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, Failed("Not asked for."))
    bench.main(["deploy"])
    assert list(json.loads((build / "results.json").read_text())["parts"]) == ["deploy"]


def test_unknown_part_is_refused_with_those_that_exist(build: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        bench.main(["speed"])
    assert "'speed' is none of load, shapes, merge, report, copy, imports, deploy, idle" in capsys.readouterr().err


def test_numbers_of_other_parts_are_kept_when_asked_for(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played(monkeypatch, Failed("It broke."))
    for words in (["imports"], ["deploy", "--add"]):
        bench.main(words)
    assert list(json.loads((build / "results.json").read_text())["parts"]) == ["imports", "deploy"]
    bench.main(["deploy"])
    assert list(json.loads((build / "results.json").read_text())["parts"]) == ["deploy"]


def test_run_that_lacks_a_part_is_not_published(
    build: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = page.PAGE.read_text()
    played(monkeypatch, Failed("It broke."))
    assert bench.main(["deploy", "--publish"]) == 1
    assert "Nothing was published. The run has no numbers" in capsys.readouterr().out
    assert page.PAGE.read_text() == before
