"""A target's verdict follows from the numbers, and never from a smaller size in silence."""

from typing import Any

import pytest

from benchmarks.targets import verdicts

Line = dict[str, Any]


def load(subject: str, shape: str = "ndjson", megabytes: int = 1000, **figures: Any) -> Line:
    figures = {"ratioToEngine": 1.0, "ratioToOurs": 1.0, "peak": 500e6, "isSame": True, **figures}
    return {"subject": subject, "shape": shape, "megabytes": megabytes, **figures}


def verdict(words: str, **parts: list[Line]) -> tuple[str, str]:
    (found,) = [one for one in verdicts(parts) if one.target.startswith(words)]
    return found.measured, found.verdict


def test_every_target_stands_there_when_nothing_was_measured() -> None:
    found = verdicts({})
    assert len(found) == 19
    assert {one.verdict for one in found} == {"not measured"}


@pytest.mark.parametrize(("ratio", "said"), [(1.5, "met"), (1.51, "missed")])
def test_load_is_held_to_the_engine(ratio: float, said: str) -> None:
    lines = [load("this project", ratioToEngine=ratio), load("this project", megabytes=5000, ratioToEngine=9.0)]
    assert verdict("Load of 1 GB, newline", load=lines) == (f"{ratio:.2f} ×", said)
    assert verdict("Load of 1 GB, array", load=lines) == ("–", "not measured")


def test_the_slowest_shape_counts_and_records_that_all_are_odd_count_alone() -> None:
    ratios = {"flat": 1.0, "nested object": 0.6, "CRLF": 0.49, "every record odd": 0.26}
    lines = [load("this project", shape, 200, ratioToFlat=ratio) for shape, ratio in ratios.items()]
    assert verdict("The slowest shape", shapes=lines) == ("0.49 ×", "missed")
    assert verdict("Records that all are odd", shapes=lines) == ("0.26 ×", "met")


def test_smaller_file_than_the_targets_says_so() -> None:
    assert verdict("Load of 1 GB, newline", load=[load("this project", megabytes=200)])[1] == "at this size met"


def test_memory_is_the_worst_of_both_containers() -> None:
    lines = [load("this project", peak=600e6), load("this project", "array", peak=710e6)]
    assert verdict("Peak memory of the load of 1 GB", load=lines) == ("710 MB", "missed")
    assert verdict("Peak memory of the load of 5 GB", load=lines) == ("–", "not measured")


def test_peers_are_compared_at_the_largest_file_that_they_were_given() -> None:
    lines = [
        load("this project"),
        load("dlt, dicts", megabytes=50, ratioToOurs=11.0),
        load("dlt, dicts", megabytes=200, ratioToOurs=12.5),
        load("pandas, pyarrow", ratioToOurs=0.99, peak=400e6),
    ]
    assert verdict("Faster than dlt with dicts, newline", load=lines) == ("12.5 ×", "met")
    assert verdict("Not slower than pandas", load=lines) == ("0.99 ×", "missed")
    assert verdict("Less memory than pandas", load=lines) == ("1.25 ×", "missed")


def test_copy_is_compared_by_throughput_and_held_to_flat_memory() -> None:
    lines: list[Line] = [
        {"subject": "this project", "megabytes": 200, "ratioToCurl": 2.0, "peak": 150e6},
        {"subject": "curl into boto3", "megabytes": 200, "ratioToCurl": 1.0, "peak": 100e6},
        {"subject": "this project", "megabytes": 1000, "ratioToCurl": 1.2, "peak": 190e6},
    ]
    assert verdict("Copy's throughput", copy=lines) == ("0.83 ×", "met")
    assert verdict("Copy's memory", copy=lines) == ("+40 MB", "met")
    assert verdict("Copy's memory", copy=lines[:1]) == ("–", "not measured")


def test_import_of_the_load_is_not_held_to_the_others_limit() -> None:
    lines: list[Line] = [
        {"subject": "load_result", "hasEngine": True, "wall": 0.9},
        {"subject": "close_run", "hasEngine": False, "wall": 0.4},
    ]
    assert verdict("Cold import", imports=lines) == ("0.40 s", "met")


def test_idle_night_is_its_worst_export_and_the_first_night_does_not_count() -> None:
    lines: list[Line] = [
        {"subject": "SENT", "night": "first, ten at once, cold", "overhead": 50.0},
        {"subject": "SENT", "night": "idle, ten at once, warm", "overhead": 4.0},
        {"subject": "OPENS", "night": "idle, in turn, cold", "overhead": 21.0},
    ]
    assert verdict("An export's own time", idle=lines) == ("21.0 s", "missed")


def test_one_result_with_other_values_misses_the_target_and_is_named() -> None:
    lines = [
        load("this project"),
        load("dlt, dicts", isSame=False),
        load("pandas, pyarrow", failed="It broke.", isSame=None),
    ]
    (found,) = [one for one in verdicts({"load": lines}) if one.target.startswith("Row counts")]
    assert (found.verdict, found.where) == ("missed", "2 results; not of dlt, dicts")
