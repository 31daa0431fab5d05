"""Asking Symplify how far a batch is."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from lambdas.execution import BadInput, RunState
from lambdas.steps.check_batch import check_batch
from lambdas.symplify.answers import BadToken, Batch, BatchState, NotFound, RateLimited, Refused, Unavailable
from tests.unit.fakes import NOW, ago, make_run, make_settings

RUNNING = Batch(BatchState.RUNNING, 3, 10)


class Vendor:
    def __init__(self, answer: Any) -> None:
        self.answer = answer
        self.chosen: Mapping[str, str] | None = None

    def batch(self, batch_id: str, chosen: Mapping[str, str]) -> Any:
        assert batch_id == "7"
        self.chosen = chosen
        return self.answer


def polled(answer: Any, *, polls: int = 0, ordered: datetime = NOW, now: datetime = NOW, **settings: Any) -> RunState:
    state = RunState(
        export_type="OPENS", batch_id="7", ordered_at=ordered.isoformat(timespec="microseconds"), polls=polls
    )
    client: Any = Vendor(answer)
    return check_batch(state, make_run(), client=client, settings=make_settings(**settings), now=now)


def test_a_finished_batch_is_finished_with_unequal_counters_too() -> None:
    state = polled(Batch(BatchState.FINISHED, 500, 501))

    assert (state.outcome, state.progress, state.polls, state.wait_seconds) == ("finished", "500/501", 1, None)


def test_a_failed_batch_fails_the_run() -> None:
    state = polled(Batch(BatchState.FAILED, None, 9))

    assert (state.outcome, state.progress) == ("failed", "?/9")
    assert state.reason == "Symplify says that the batch has failed."


def test_waits_grow_to_their_maximum_and_stay_there() -> None:
    waits = [polled(RUNNING, polls=polls).wait_seconds for polls in (0, 1, 2, 6, 1000, 10**6)]

    assert waits == [30, 45, 67, 300, 300, 300]


def test_a_running_batch_waits_and_reports_its_progress() -> None:
    state = polled(RUNNING, polls=4)

    assert (state.outcome, state.progress, state.polls) == ("running", "3/10", 5)


def test_a_rate_limit_waits_as_long_as_it_says() -> None:
    state = polled(RateLimited(77))

    assert (state.outcome, state.wait_seconds) == ("rate_limited", 77)


@pytest.mark.parametrize("answer", [Unavailable("No answer came."), NotFound("Symplify knows no batch 7.")])
def test_a_missing_answer_waits_and_so_does_a_batch_that_is_not_yet_known(answer: Any) -> None:
    assert polled(answer).outcome == "running"


def test_a_batch_that_is_unknown_long_after_its_order_is_refused() -> None:
    state = polled(NotFound("Symplify knows no batch 7."), ordered=ago(minutes=6))

    assert (state.outcome, state.reason) == ("failed", "Symplify knows no batch 7.")


def test_a_refusal_fails_the_run_and_a_bad_token_is_named() -> None:
    assert (polled(Refused("No.")).outcome, polled(Refused("No.")).error_name) == ("failed", None)
    assert polled(BadToken("No.")).error_name == "BadToken"


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (RUNNING, "3/10"),
        (RateLimited(60), "429"),
        (RateLimited(60, "The setting callsPerMinute allowed no call."), "callsPerMinute"),
        (Unavailable("Symplify answered with status 503."), "503"),
    ],
)
def test_a_wait_beyond_the_deadline_is_overdue_and_reports_the_last_answer(answer: Any, words: str) -> None:
    last = polled(answer, now=NOW + timedelta(minutes=359), polls=0, run_deadline_minutes=360)
    state = polled(answer, now=NOW + timedelta(minutes=359, seconds=31), run_deadline_minutes=360)

    assert last.outcome in ("running", "rate_limited")
    assert (state.outcome, state.wait_seconds) == ("overdue", None)
    assert "360 minutes" in (state.reason or "")
    assert words in (state.reason or "")


def test_a_batch_that_finished_after_the_deadline_is_still_copied() -> None:
    assert polled(Batch(BatchState.FINISHED, 1, 1), now=NOW + timedelta(days=1)).outcome == "finished"


def test_the_settings_words_for_a_status_are_those_of_the_call() -> None:
    vendor = Vendor(RUNNING)
    client: Any = vendor
    state = RunState(export_type="OPENS", batch_id="7", ordered_at=NOW.isoformat())

    check_batch(state, make_run(), client, make_settings(batch_statuses={"QUEUED": "running"}), NOW)

    assert vendor.chosen == {"QUEUED": "running"}


def test_a_state_without_a_batch_is_bad_input() -> None:
    client: Any = Vendor(RUNNING)
    with pytest.raises(BadInput):
        check_batch(RunState(export_type="OPENS"), make_run(), client=client, settings=make_settings(), now=NOW)
