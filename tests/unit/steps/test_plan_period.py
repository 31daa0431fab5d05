"""Planning a run: the period, and unloaded batches of earlier runs."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from lambdas.execution import RunState
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, LOADED
from lambdas.steps.plan_run import leaves_no_gap
from lambdas.vocabulary import Period
from tests.unit.fakes import NOW, Crash, Failing, ago, make_run
from tests.unit.steps.planning import OTHER, RUN, SUNDAY, leave, loaded_until, planned

# The period


@pytest.mark.parametrize(
    ("hours", "nightly", "chosen"),
    [
        (None, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (24, "LAST_3_DAYS", "LAST_3_DAYS"),
        (48, "LAST_3_DAYS", "LAST_3_DAYS"),
        (49, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (72, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (120, "LAST_3_DAYS", "LAST_2_WEEKS"),
        (24, "LAST_DAY", "LAST_DAY"),
        (36, "LAST_DAY", "LAST_DAY"),
        (37, "LAST_DAY", "LAST_2_WEEKS"),
        (120, "LAST_WEEK", "LAST_WEEK"),
        (145, "LAST_WEEK", "LAST_2_WEEKS"),
        (24, "LAST_2_WEEKS", "LAST_2_WEEKS"),
        (24, "TODAY", "LAST_2_WEEKS"),
    ],
)
def test_the_period_reaches_back_to_the_last_success(
    ledger: Ledger, hours: int | None, nightly: str, chosen: str
) -> None:
    if hours is not None:
        loaded_until(ledger, ago(hours=hours))

    state = planned(ledger, nightly_period=nightly)

    assert (state.outcome, state.period, state.unreachable_days) == ("planned", chosen, None)


@pytest.mark.parametrize(
    ("started", "weekday", "chosen"),
    [
        (NOW, "SUNDAY", "LAST_3_DAYS"),
        (SUNDAY, "SUNDAY", "LAST_2_WEEKS"),
        (SUNDAY, "", "LAST_3_DAYS"),
        (NOW, "TUESDAY", "LAST_2_WEEKS"),
    ],
)
def test_one_weekday_sweeps_for_late_events(ledger: Ledger, started: datetime, weekday: str, chosen: str) -> None:
    loaded_until(ledger, started - timedelta(days=1))

    state = planned(ledger, run=make_run("run-a", started), now=started, sweep_weekday=weekday)

    assert state.period == chosen


@pytest.mark.parametrize("asked", [period.value for period in Period])
def test_an_explicit_period_wins(ledger: Ledger, asked: str) -> None:
    assert planned(ledger, RunState(export_type="OPENS", period=asked.lower())).period == asked


@pytest.mark.parametrize(
    ("days", "unreachable"), [(12, None), (13, None), (14, "2026-11-10..2026-11-11"), (30, "2026-10-25..2026-11-11")]
)
def test_days_that_no_period_reaches_any_more_are_reported(ledger: Ledger, days: int, unreachable: str | None) -> None:
    loaded_until(ledger, ago(days=days))

    state = planned(ledger)

    assert (state.period, state.unreachable_days) == ("LAST_2_WEEKS", unreachable)


@pytest.mark.parametrize(
    ("covered", "hours", "nightly", "expected"),
    [
        ("TODAY", 1, "TODAY", False),
        ("LAST_DAY", 24, "LAST_3_DAYS", False),
        ("LAST_DAY", 24, "LAST_DAY", True),
        ("LAST_DAY", 37, "LAST_DAY", False),
        ("LAST_3_DAYS", 48, "LAST_DAY", True),
        ("LAST_3_DAYS", 49, "LAST_3_DAYS", False),
        ("LAST_WEEK", 144, "LAST_3_DAYS", True),
        ("LAST_2_WEEKS", 2400, "LAST_3_DAYS", True),
        ("LAST_3_DAYS", None, "LAST_3_DAYS", False),
        ("LAST_2_WEEKS", None, "LAST_3_DAYS", True),
        ("TODAY", None, "LAST_3_DAYS", False),
    ],
)
def test_a_period_leaves_no_gap_when_it_is_trusted_to_reach_the_watermark(
    covered: str, hours: int | None, nightly: str, expected: bool
) -> None:
    watermark = None if hours is None else ago(hours=hours)

    assert leaves_no_gap(Period(covered), NOW, watermark, Period(nightly)) is expected


# Unloaded batches


@pytest.mark.parametrize(("status", "outcome"), [(None, "adopted"), (COPIED, "landed")])
def test_an_unloaded_batch_that_covers_the_plan_is_adopted_at_its_status(
    ledger: Ledger, status: str | None, outcome: str
) -> None:
    loaded_until(ledger, ago(hours=25))
    leave(ledger, "7", ago(hours=24), period="LAST_WEEK", status=status)

    state = planned(ledger)

    assert (state.outcome, state.batch_id, state.period) == (outcome, "7", "LAST_WEEK")
    assert state.ordered_at == ago(hours=24).isoformat(timespec="microseconds")
    assert ledger.unloaded_batches()[0].owner == RUN.arn


@pytest.mark.parametrize(
    ("period", "hours", "asked", "reason"),
    [
        ("LAST_DAY", 5, "LAST_3_DAYS", "it reaches less far"),
        ("LAST_3_DAYS", 5, "LAST_2_WEEKS", "it reaches less far"),
        ("LAST_3_DAYS", 37, "LAST_3_DAYS", "it is older than a night"),
        ("LAST_2_WEEKS", 24 * 10, "LAST_3_DAYS", "it reaches far enough and is days old"),
        ("TODAY", 5, "LAST_DAY", "today was another day"),
        ("TODAY", 5, "TODAY", "today was another day"),
        ("LAST_2_WEEKS", 5, "TODAY", "it may know nothing of today"),
    ],
)
def test_a_batch_that_does_not_cover_the_plan_is_not_adopted(
    ledger: Ledger, period: str, hours: int, asked: str, reason: str
) -> None:
    leave(ledger, "7", ago(hours=hours), period)

    state = planned(ledger, RunState(export_type="OPENS", period=asked))

    assert (state.outcome, state.batch_id) == ("planned", None), reason
    assert ledger.unloaded_batches()[0].owner == OTHER.arn


def test_a_batch_older_than_the_watermark_is_not_adopted(ledger: Ledger) -> None:
    leave(ledger, "7", ago(hours=24))
    loaded_until(ledger, ago(hours=20))

    assert planned(ledger).outcome == "planned"


def test_the_newest_of_several_batches_is_adopted(ledger: Ledger) -> None:
    for batch_id, hours in (("1", 20), ("2", 10), ("3", 30)):
        leave(ledger, batch_id, ago(hours=hours), "LAST_2_WEEKS")
    leave(ledger, "4", ago(hours=5), period="LAST_2_WEEKS", status=LOADED)

    assert planned(ledger).batch_id == "2"


def test_a_crash_after_the_adoption_is_found_by_a_retry(ledger: Ledger) -> None:
    leave(ledger, "7", ago(hours=10), "LAST_2_WEEKS")
    with pytest.raises(Crash):
        planned(Failing(ledger, 1, "adopt", after=True))

    state = planned(ledger)

    assert (state.outcome, state.batch_id) == ("adopted", "7")


def test_a_batch_that_another_run_adopts_first_is_not_adopted(ledger: Ledger) -> None:
    leave(ledger, "7", ago(hours=10), "LAST_2_WEEKS")

    class Overtaken(Failing):
        def adopt(self, batch: Any, run: Any) -> bool:
            ledger.adopt(batch, make_run("run-c"))
            return ledger.adopt(batch, run)

    assert planned(Overtaken(ledger)).outcome == "planned"
