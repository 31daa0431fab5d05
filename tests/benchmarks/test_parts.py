"""The parts of the benchmark run for real, with small files: a failing subject would show late otherwise."""

from pathlib import Path

import pytest

from benchmarks.options import BenchmarkOptions
from benchmarks.parts import load, merge, report, shapes
from benchmarks.shapes import ALL_ODD, FLAT, SHAPES


def test_load_equals_the_bare_engine_for_both_containers(tmp_path: Path) -> None:
    lines = list(
        load.measure(BenchmarkOptions(tmp_path, lambda _: None, sizes=(1,), peers_up_to=0, slow_up_to=0, repetitions=1))
    )
    assert [(line["subject"], line["shape"], line["failed"], line["isSame"]) for line in lines] == [
        (load.OURS, "ndjson", None, True),
        (load.ENGINE, "ndjson", None, True),
        (load.OURS, "array", None, True),
        (load.ENGINE, "array", None, True),
    ]


def test_other_shapes_have_the_values_of_the_plain_events(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = {name: SHAPES[name] for name in (FLAT, ALL_ODD)}
    monkeypatch.setattr(shapes, "SHAPES", chosen)
    options = BenchmarkOptions(tmp_path, lambda _: None, shape_megabytes=1, peers_up_to=0, repetitions=1)
    lines = list(shapes.measure(options))
    assert [(line["shape"], line["failed"], line["isSame"]) for line in lines] == [(one, None, True) for one in chosen]


def test_merge_has_the_stored_and_the_new_rows(tmp_path: Path) -> None:
    ours, engine = merge.measure(BenchmarkOptions(tmp_path, lambda _: None, repetitions=1, stored_rows=2_000))
    assert (ours["newRows"], ours["knownRows"], ours["rows"]) == (200, 100, 2_100)
    assert [line["isSame"] for line in (ours, engine)] == [True, True]


def test_the_report_has_answers_of_all_its_queries(tmp_path: Path) -> None:
    (line,) = report.measure(BenchmarkOptions(tmp_path, lambda _: None, repetitions=1, report_events=3_000))
    assert line["failed"] is None
    weeks, days, campaigns = line["rows"]
    assert (weeks, campaigns) == (2, 20)
    assert days > 28
    assert line["pageBytes"] > 10_000
