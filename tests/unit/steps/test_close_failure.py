"""Closing a run that failed, and closing again after a crash."""

from dataclasses import replace

import pytest

from lambdas.execution import RunState
from lambdas.ledger.orders import COPIED, LOADED
from lambdas.outcome import Outcome
from lambdas.steps.close_run import close_run, close_unknown
from lambdas.vocabulary import UnknownName
from tests.unit.fakes import NOW, Crash, Failing, make_run, make_settings
from tests.unit.steps.closing import CRASHED, LOADED_STATE, RUN, TIME, OpenRun


def test_a_failed_run_frees_the_lease_and_its_scheduled_time(opened: OpenRun) -> None:
    opened.order()

    state = opened.close(replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No."))

    assert state.outcome == "failed"
    assert opened.ledger.lease() is None
    assert opened.ledger.watermark() is None
    assert opened.may_start_again
    assert opened.records[0]["reason"] == state.reason


def test_a_final_failure_makes_the_batch_dead(opened: OpenRun) -> None:
    opened.order()

    opened.close(replace(LOADED_STATE, outcome=Outcome.FAILED, reason="Symplify says that the batch has failed."))

    assert opened.unloaded == []


@pytest.mark.parametrize(
    "state",
    [
        replace(LOADED_STATE, outcome=Outcome.OVERDUE, reason="Too late."),
        replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No.", error_name="BadToken"),
        replace(LOADED_STATE, outcome=Outcome.FINISHED, error=CRASHED),
        replace(LOADED_STATE, outcome=Outcome("something else")),
    ],
)
def test_a_failure_that_may_pass_leaves_the_batch_to_the_next_run_once(opened: OpenRun, state: RunState) -> None:
    opened.order()

    opened.close(state)
    opened.close(state)
    assert opened.unloaded == ["7"]

    second = make_run("run-b")
    opened.ledger.adopt(opened.ledger.unloaded_batches()[0], second)
    opened.ledger.mark_batch_failed("7", second, final=False)
    assert opened.unloaded == []


def test_a_batch_that_is_missing_in_the_state_is_found_in_the_ledger(opened: OpenRun) -> None:
    opened.order()
    crashed = RunState(export_type="OPENS", period="LAST_3_DAYS", outcome=Outcome.PLANNED, error=CRASHED)

    state = opened.close(crashed)

    assert state.batch_id == "7"
    assert "batch 7" in (state.reason or "")
    assert opened.unloaded == ["7"]


def test_an_intent_without_an_answer_is_reported(opened: OpenRun) -> None:
    opened.ledger.write_intent(RUN, "2026-11-24T03:30:00.000000+00:00", 0, opened.ledger.order(RUN))

    state = opened.close(RunState(export_type="OPENS", period="LAST_3_DAYS", outcome=Outcome.PLANNED, error=CRASHED))

    assert "a batch may be waiting in Symplify" in (state.reason or "")


@pytest.mark.parametrize(
    ("state", "name"),
    [
        (RunState(export_type="OPENS"), "UnknownOutcome"),
        (RunState(export_type="OPENS", outcome=Outcome.LOADED, error=CRASHED), "Broken"),
        (RunState(export_type="OPENS", outcome=Outcome.DUPLICATE), "DuplicateRun"),
        (RunState(export_type="OPENS", outcome=Outcome.OVERDUE), "RunOverdue"),
        (RunState(export_type="OPENS", outcome=Outcome.BUSY, wait_seconds=60), "UnknownOutcome"),
        (RunState(export_type="opened", outcome=Outcome.FAILED, error_name="BadInput", reason="No."), "BadInput"),
        (RunState(export_type="OPENS", outcome=Outcome.FAILED), "ExportFailed"),
        (RunState(export_type="OPENS", outcome=Outcome.PLANNED, error={}), "Error"),
        (
            RunState(export_type="OPENS", outcome=Outcome.FAILED, tally={"days": None, "newColumns": None}),
            "ExportFailed",
        ),
    ],
)
def test_a_state_without_a_batch_closes_with_a_name_and_a_sentence(opened: OpenRun, state: RunState, name: str) -> None:
    closed = opened.close(state)

    assert (closed.outcome, closed.error_name, closed.error) == ("failed", name, None)
    assert closed.reason
    assert opened.records[0]["export_type"] == "OPENS"
    assert opened.ledger.lease() is None


def test_a_loaded_state_without_a_batch_still_closes(opened: OpenRun) -> None:
    assert opened.close(RunState(export_type="OPENS", outcome=Outcome.LOADED)).outcome == "succeeded"


def test_a_run_without_the_lease_leaves_it_and_the_files_alone(opened: OpenRun) -> None:
    other = make_run("run-b")
    opened.ledger.release_lease(RUN)
    opened.ledger.take_lease(other, NOW)

    opened.close(RunState(export_type="OPENS", outcome=Outcome.DUPLICATE, scheduled_time="2026-11-23T03:30:00Z"))

    lease = opened.ledger.lease()
    assert lease is not None
    assert lease.owner == other.arn
    assert opened.vacuumed == 0


def test_a_duplicate_leaves_the_first_runs_claim(opened: OpenRun) -> None:
    other = make_run("run-b")

    close_run(
        RunState(export_type="OPENS", outcome=Outcome.DUPLICATE, scheduled_time=TIME),
        other,
        opened.dependencies,
        settings=make_settings(),
        now=NOW,
    )

    assert not opened.may_start_again


def test_a_run_without_an_export_type_closes_without_a_ledger() -> None:
    state = RunState(export_type="5", outcome=Outcome.FAILED, error_name="BadInput", reason="exportType must be text.")

    closed = close_unknown(state)

    assert (closed.outcome, closed.error_name) == ("failed", "BadInput")
    assert closed.reason == "5: exportType must be text."


def test_closing_with_a_ledger_needs_an_export_type(opened: OpenRun) -> None:
    with pytest.raises(UnknownName):
        opened.close(RunState(export_type="SMS"))


@pytest.mark.parametrize("state", [LOADED_STATE, replace(LOADED_STATE, outcome=Outcome.OVERDUE, reason="Too late.")])
@pytest.mark.parametrize("after", [False, True])
def test_closing_again_completes_after_a_crash_at_any_ledger_call(
    opened: OpenRun, state: RunState, after: bool
) -> None:
    counted = Failing(opened.ledger)
    opened.order(LOADED if state.outcome == "loaded" else COPIED)
    expected = opened.close(state, counted)
    for at in range(1, counted.count + 1):
        opened.ledger.take_lease(RUN, NOW)
        with pytest.raises(Crash):
            opened.close(state, Failing(opened.ledger, at, after=after))

        assert opened.close(state) == expected
        assert opened.ledger.lease() is None
    if state.outcome == "overdue":
        assert opened.ledger.unloaded_batches()[0].failures == 1


@pytest.mark.parametrize("state", [LOADED_STATE, replace(LOADED_STATE, outcome=Outcome.FAILED, reason="No.")])
def test_uploads_that_a_copy_left_open_are_aborted_with_the_run(opened: OpenRun, state: RunState) -> None:
    opened.close(state)

    assert opened.aborted == ["OPENS"]


def test_a_run_without_the_lease_does_not_abort_the_uploads_of_its_owner(opened: OpenRun) -> None:
    opened.ledger.release_lease(RUN)
    opened.ledger.take_lease(make_run("run-b"), NOW)

    opened.close(replace(LOADED_STATE, outcome=Outcome.OVERDUE))

    assert opened.aborted == []
