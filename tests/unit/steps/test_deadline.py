"""The deadline of every wait."""

from datetime import timedelta

import pytest

from lambdas.execution import RunState
from lambdas.outcome import Outcome
from lambdas.steps.deadline import wait
from tests.unit.fakes import ago, make_run

STATE = RunState(export_type="OPENS", batch_id="7", reason="what was before")


def waited(seconds: int, started: int) -> RunState:
    """A wait of a run that started so many minutes ago and may last an hour."""
    run, now = make_run(started_at=ago(minutes=started)), ago()
    return wait(
        STATE,
        Outcome.RUNNING,
        seconds,
        run=run,
        limit=timedelta(hours=1),
        now=now,
        expectation="Nothing came",
        cause="Why.",
    )


@pytest.mark.parametrize(("seconds", "started"), [(60, 0), (3600, 0), (60, 59)])
def test_a_wait_that_ends_within_the_limit_is_a_wait(seconds: int, started: int) -> None:
    state = waited(seconds, started)

    assert (state.outcome, state.wait_seconds, state.reason) == ("running", seconds, None)


@pytest.mark.parametrize(("seconds", "started"), [(3601, 0), (61, 59), (3, 60), (3, 600)])
def test_a_wait_that_would_pass_the_limit_is_overdue_with_a_sentence(seconds: int, started: int) -> None:
    state = waited(seconds, started)

    assert (state.outcome, state.wait_seconds) == ("overdue", None)
    assert state.reason == "Nothing came within 60 minutes of the run's start. Why."
    assert state.batch_id == "7"


@pytest.mark.parametrize(("seconds", "expected"), [(0, 3), (1, 3), (3, 3), (4, 4)])
def test_a_wait_lasts_at_least_a_small_part_of_its_limit_so_that_waits_are_bounded(seconds: int, expected: int) -> None:
    assert waited(seconds, 0).wait_seconds == expected
