"""The sentence about a failed run."""

import json
from typing import Any

import pytest

from lambdas.execution import BadInput, RunState
from lambdas.ledger.orders import COPIED, DEAD, LOADED, ORDERED
from lambdas.outcome import ErrorName, Outcome
from lambdas.schema_version import WrittenByNewer
from lambdas.steps.failure import MAYBE_ORDERED, failure_of

NOW_RUN = 'To run it now, start the machine with {"exportType": "OPENS"}.'


def sentence(batch_status: str | None = None, **state: Any) -> str:
    given = {"export_type": "OPENS", "period": "LAST_3_DAYS", **state}
    return failure_of(RunState(**given), batch_status).sentence


def test_an_overdue_batch() -> None:
    reason = "The batch was not seen to be finished within 360 minutes of the run's start. Its progress was 3/10."

    assert sentence(ORDERED, outcome="overdue", batch_id="7", reason=reason) == (
        f"OPENS, LAST_3_DAYS, batch 7: {reason} The batch was ordered and not copied; the next run resumes it. "
        + NOW_RUN
    )


def test_a_file_that_cannot_be_loaded() -> None:
    assert sentence(DEAD, outcome="failed", batch_id="7", bytes=120, reason="The file is cut.") == (
        "OPENS, LAST_3_DAYS, batch 7: The file is cut. Its 120 bytes are safe in raw/. "
        "The batch is not tried again; the next run orders a new one. " + NOW_RUN
    )


def test_a_load_that_crashed() -> None:
    error = {"Error": "States.Timeout", "Cause": ""}

    assert sentence(COPIED, outcome="copied", batch_id="7", bytes=120, error=error) == (
        "OPENS, LAST_3_DAYS, batch 7: A step failed with States.Timeout: no cause given. "
        "Its 120 bytes are safe in raw/, and the next run loads them from there. " + NOW_RUN
    )


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (None, "No batch is on record; the next run orders a new one."),
        (MAYBE_ORDERED, "a batch may be waiting in Symplify; the next run orders a new one."),
        (LOADED, "The rows are loaded; what follows the load failed."),
        (DEAD, "The batch is not tried again; the next run orders a new one."),
        (COPIED, "Its bytes are safe in raw/, and the next run loads them from there."),
    ],
)
def test_the_sentence_says_what_is_kept_by_the_batchs_status(status: str | None, words: str) -> None:
    text = sentence(status, outcome="failed", reason="No.")

    assert words in text
    assert text.endswith(NOW_RUN)


def test_a_functions_error_is_reported_by_its_message_without_the_trace() -> None:
    cause = json.dumps({"errorMessage": "It broke.", "errorType": "Broken", "stackTrace": ["/var/task/x.py"]})
    text = sentence(outcome="finished", error={"Error": "Broken", "Cause": cause})

    assert "A step failed with Broken: It broke. " in text
    assert "/var/task" not in text


@pytest.mark.parametrize("cause", ["plain words", '"text"', "[1]", "{}", "[" * 100_000, '{"errorMessage": null}', None])
def test_any_cause_makes_a_sentence(cause: str | None) -> None:
    assert "A step failed with X: " in sentence(outcome="finished", error={"Error": "X", "Cause": cause})


def test_a_refused_input_reports_its_reason_alone() -> None:
    assert sentence(outcome="failed", error_name="BadInput", reason="'X' is not a period.") == (
        "OPENS, LAST_3_DAYS: 'X' is not a period."
    )


def test_a_duplicate_did_nothing() -> None:
    assert sentence(outcome="duplicate") == (
        "OPENS, LAST_3_DAYS: Another execution has this scheduled time, so this one did nothing."
    )


def test_an_unknown_outcome_is_named() -> None:
    assert "the outcome 'dancing', which is unknown" in sentence(outcome="dancing")


def test_name_and_sentence_are_plain_text_within_the_limits_of_step_functions() -> None:
    long = "x\n\t\x1b\u2028é" * 100_000
    state = RunState(export_type=long, reason="The reason.", outcome=Outcome.FAILED)
    assert "The reason." in failure_of(state, None).sentence

    failure = failure_of(RunState(export_type=long, error={"Error": long, "Cause": long}, batch_id=long), None)

    assert len(failure.sentence.encode()) < 32_000
    assert len(failure.name) <= 256
    assert failure.sentence.isprintable()


def test_a_failed_replay_says_how_to_start_it_again() -> None:
    replay = {"except": ["7"], "rebuild": True}
    reason = "raw/ has holes: 5 (2026-11-01) of OPENS were loaded and are not there any more."

    assert sentence(outcome="failed", period=None, replay=replay, reason=reason) == (
        f"OPENS: {reason} raw/ is unchanged and every day of the table is complete; the same replay may be started "
        "again. "
        'To run it now, start the machine with {"exportType": "OPENS", "replay": {"except": ["7"], "rebuild": true}}.'
    )


def test_the_names_of_exceptions_that_the_runbook_knows_are_those_of_their_classes() -> None:
    assert WrittenByNewer.__name__ == ErrorName.WRITTEN_BY_NEWER
    assert BadInput.__name__ == ErrorName.BAD_INPUT
