"""Messages that people can act on."""

import json
import shlex
from dataclasses import replace

import pytest

from lambdas.execution import RunState
from lambdas.outcome import Outcome
from lambdas.steps.alert import Place, anchor, failure_message, lost_days_message, step_of
from tests.unit.fakes import make_run

PLACE = Place("symplify-lake", "arn:aws:states:eu-west-1:1:stateMachine:symplify-lake")
BEFORE = RunState(
    export_type="OPENS",
    scheduled_time="2026-11-24T03:30:00Z",
    period="LAST_3_DAYS",
    outcome=Outcome.FAILED,
    step="load_result",
    batch_id="7",
    ordered_at="2026-11-24T03:31:00.000000+00:00",
    bytes=120,
    reason="Symplify says no.",
)
FAILED = replace(BEFORE, error_name="ExportFailed", reason="OPENS, LAST_3_DAYS, batch 7: Symplify says no.")


def test_a_failure_message_has_all_that_a_person_needs() -> None:
    message = failure_message(FAILED, BEFORE, make_run(), PLACE)
    assert message.subject == "symplify-lake: OPENS failed (ExportFailed)"
    for words in (
        "OPENS failed in the night of 2026-11-24",
        "Symplify says no.",
        "load_result",
        "7, LAST_3_DAYS, ordered at 2026-11-24T03:31",
        "120 bytes in raw/",
        make_run().arn,
        "docs/operations.md#exportfailed",
    ):
        assert words in message.text


def test_the_command_to_run_it_again_is_one_that_a_shell_takes() -> None:
    text = failure_message(FAILED, BEFORE, make_run(), PLACE).text
    (command,) = [line for line in text.splitlines() if "start-execution" in line]
    words = shlex.split(command)
    assert words[words.index("--state-machine-arn") + 1] == PLACE.machine_arn
    assert json.loads(words[words.index("--input") + 1]) == {"exportType": "OPENS"}


def test_the_message_of_a_run_started_by_hand_has_its_time() -> None:
    by_hand = replace(FAILED, scheduled_time=None)
    assert "started by hand on 2026-11-24 at 03:30 UTC" in failure_message(by_hand, BEFORE, make_run(), PLACE).text


def test_the_message_of_a_stopped_run_has_only_what_is_known_of_its_batch() -> None:
    stopped = replace(FAILED, step=None, period=None, bytes=None, error_name="ABORTED")
    text = failure_message(stopped, stopped, make_run(), PLACE).text
    assert "Batch           7, ordered at 2026-11-24T03:31" in text
    assert "Saved           not known" in text
    assert "None" not in text


def test_lost_days_are_reported_with_a_failure_and_without() -> None:
    lost = replace(FAILED, unreachable_days="2026-10-01..2026-10-03")
    assert "2026-10-01..2026-10-03" in failure_message(lost, BEFORE, make_run(), PLACE).text
    alone = lost_days_message(replace(lost, outcome=Outcome.SUCCEEDED), make_run(), PLACE)
    assert "2026-10-01..2026-10-03" in alone.text
    assert "docs/operations.md#lost-days" in alone.text


def test_a_subject_is_what_sns_takes_whatever_the_input_was() -> None:
    strange = replace(FAILED, export_type="ÖPPNA\n" + "x" * 300)
    subject = failure_message(strange, BEFORE, make_run(), PLACE).subject
    assert subject.isascii()
    assert "\n" not in subject
    assert len(subject) <= 100


CRASH = {"Error": "Broken", "Cause": "x"}


@pytest.mark.parametrize(
    ("before", "step"),
    [
        (RunState(export_type="OPENS", error=CRASH), "plan_run"),
        (RunState(export_type="OPENS", step="start_export", outcome=Outcome.RATE_LIMITED, error=CRASH), "start_export"),
        (RunState(export_type="OPENS", step="copy_result", outcome=Outcome.RATE_LIMITED, error=CRASH), "copy_result"),
        (RunState(export_type="OPENS", step="plan_run", outcome=Outcome.LANDED, error=CRASH), "load_result"),
        (RunState(export_type="OPENS", step="plan_run", outcome=Outcome.FAILED, error_name="BadInput"), "plan_run"),
        (RunState(export_type="OPENS", step="check_batch", outcome=Outcome.OVERDUE, batch_id="7"), "check_batch"),
        (RunState(export_type="OPENS", step="load_result", outcome=Outcome("?"), bytes=5), "load_result"),
    ],
)
def test_the_message_names_the_step_that_failed(before: RunState, step: str) -> None:
    assert step_of(before) == step


def test_an_error_without_a_heading_of_its_own_has_the_common_one() -> None:
    assert anchor("ClientError") == "any-other-error"
