"""docs/performance.md holds the numbers that are kept beside it, and costs follow from them."""

import json

import pytest

from benchmarks import page
from benchmarks.cost_model import Model, Trend, Unmeasured, trend
from local import prices


def test_page_agrees_with_the_kept_numbers() -> None:
    kept = json.loads((page.KEPT / "results.json").read_text())
    assert page.written(page.PAGE.read_text(), kept) == page.PAGE.read_text(), "Run: python -m benchmarks.page"


def test_page_shows_the_plots_that_are_kept() -> None:
    text = page.PAGE.read_text()
    plots = sorted(path.name for path in page.KEPT.glob("*.png"))
    assert plots
    assert all(f"(performance/{name})" in text for name in plots)


def test_table_that_does_not_exist_is_an_error() -> None:
    kept = json.loads((page.KEPT / "results.json").read_text())
    with pytest.raises(KeyError):
        page.written("<!-- table: nothing -->\n<!-- end -->", kept)


def test_trend_goes_through_the_smallest_and_the_largest_size_and_never_falls() -> None:
    assert trend([(100, 2.0), (300, 4.0), (200, 9.0)]) == Trend(1.0, 0.01)
    assert trend([(100, 4.0), (200, 3.0)]) == Trend(4.0, 0.0)
    assert trend([(200, 4.0)]) == Trend(0.0, 0.02)
    assert Trend(1.0, 0.01).size_for(3.0) == 200
    assert Trend(1.0, 0.0).size_for(3.0) == float("inf")


def test_larger_night_costs_more_and_takes_longer() -> None:
    model = Model(json.loads((page.KEPT / "results.json").read_text())["parts"])
    small, large = model.night(10e6), model.night(10e9)
    assert large.load_seconds > 10 * small.load_seconds
    assert large.night > small.night > 0
    assert large.dollars["Lambda"] > small.dollars["Lambda"]
    # Ten terabytes of raw, a tenth of a cent a gigabyte more or less.
    assert model.storage_after_a_year(10e9) > 10e9 * 10 * 365 / 1e9 * prices.S3_GB_MONTH


def test_run_without_a_part_says_which_is_missing() -> None:
    with pytest.raises(Unmeasured, match="no numbers of the part 'copy'"):
        Model({}).copy_seconds(1e9)
