"""Messages to people about a failed run or lost days: plain text that says what to do."""

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.lake.errors import ViewNotWritten
from lambdas.outcome import ErrorName, Outcome

RUNBOOK = "docs/operations.md"

_STOPPED = (ErrorName.ABORTED, ErrorName.TIMED_OUT)
_FROM_OUTSIDE = "not known, since it was ended from outside"

# SNS takes at most 100 characters of ASCII as a subject.
_SUBJECT = 100

ACCOUNT_WIDE = (ErrorName.TOKEN_NOT_SET, ErrorName.BAD_TOKEN)
"""Failures that all export types of a night share, so that one message is enough."""

_ANCHORS: Mapping[str, str] = {
    ErrorName.TOKEN_NOT_SET: "tokennotset",
    ErrorName.BAD_TOKEN: "badtoken",
    ErrorName.RUN_OVERDUE: "runoverdue",
    ErrorName.EXPORT_FAILED: "exportfailed",
    ErrorName.UNDECIDED: "undecided",
    ErrorName.BAD_INPUT: "badinput",
    ErrorName.UNKNOWN_OUTCOME: "unknownoutcome",
    ErrorName.WRITTEN_BY_NEWER: "writtenbynewer",
    ErrorName.ABORTED: "aborted-or-timed_out",
    ErrorName.TIMED_OUT: "aborted-or-timed_out",
}
OTHER_ANCHOR = "any-other-error"
LOST_DAYS_ANCHOR = "lost-days"
VIEW_ANCHOR = "viewnotwritten"

NEXT_STEP: Mapping[tuple[str | None, Outcome], str] = {
    (None, Outcome.NONE): "plan_run",
    ("plan_run", Outcome.BUSY): "plan_run",
    ("plan_run", Outcome.PLANNED): "start_export",
    ("plan_run", Outcome.ADOPTED): "check_batch",
    ("plan_run", Outcome.LANDED): "load_result",
    ("plan_run", Outcome.REPLAY): "load_result",
    ("start_export", Outcome.ORDER_UNKNOWN): "start_export",
    ("start_export", Outcome.RATE_LIMITED): "start_export",
    ("start_export", Outcome.ORDERED): "check_batch",
    ("check_batch", Outcome.RUNNING): "check_batch",
    ("check_batch", Outcome.RATE_LIMITED): "check_batch",
    ("check_batch", Outcome.FINISHED): "copy_result",
    ("copy_result", Outcome.PARTIAL): "copy_result",
    ("copy_result", Outcome.RATE_LIMITED): "copy_result",
    ("copy_result", Outcome.COPIED): "load_result",
    ("load_result", Outcome.PARTIAL): "load_result",
}
"""The machine's transitions: the step that follows a step and its outcome. All else goes to close_run."""


@dataclass(frozen=True)
class Message:
    """An e-mail: a subject of at most 100 ASCII characters, and plain text."""

    subject: str
    text: str


@dataclass(frozen=True)
class Place:
    """The names of the stack and its machine, for the commands that a message gives."""

    stack: str
    machine_arn: str


def failure_message(state: RunState, before: RunState, run: Execution, place: Place) -> Message:
    """The message about a failed run: `state` as it was closed, `before` as it arrived to be closed."""
    export = state.export_type or "A run without an export type"
    name = state.error_name or "Error"
    lines = [
        f"{export} {_ended(state)}{_night(state, run)}.",
        "",
        f"What happened   {state.reason or 'No reason is on record.'}",
        f"Error           {name}",
        f"Step            {step_of(before)}",
        f"Batch           {_batch(state)}",
        f"Saved           {_saved(state)}",
        f"Execution       {run.arn}",
        *(_lost(state) if state.unreachable_days else ()),
        "",
        *_again(state, name, place),
        "",
        f"What else to do: {RUNBOOK}#{anchor(name)}",
    ]
    return Message(_ascii(f"{place.stack}: {export} {_ended(state)} ({name})"), "\n".join(lines))


def lost_days_message(state: RunState, run: Execution, place: Place) -> Message:
    """The message about days that no period reaches any more, although the run succeeded."""
    lines = [f"{state.export_type} has a hole{_night(state, run)}.", "", *_lost(state), ""]
    lines.append(f"What to do: {RUNBOOK}#{LOST_DAYS_ANCHOR}")
    return Message(_ascii(f"{place.stack}: {state.export_type} has lost days"), "\n".join(lines))


def view_message(error: Exception, run: Execution, place: Place) -> Message:
    """The message about views that could not be written, although the run succeeded."""
    # Only of our own errors the words are known to name nobody.
    what = (
        str(error) if isinstance(error, ViewNotWritten) else f"{type(error).__name__}; the log of close-run has more."
    )
    lines = [
        "The views for analysts could not be written.",
        "",
        f"What happened   {what}",
        "Kept            the tables and their rows, and the views as they were",
        f"Execution       {run.arn}",
        "",
        "Every run that succeeds tries again; this message is sent once a day.",
        f"What to do: {RUNBOOK}#{VIEW_ANCHOR}",
    ]
    return Message(_ascii(f"{place.stack}: views not written"), "\n".join(lines))


def anchor(error_name: str) -> str:
    """The runbook's heading for an error."""
    return _ANCHORS.get(error_name, OTHER_ANCHOR)


def step_of(before: RunState) -> str:
    """The step that failed: the one that reported it, or else the one that crashed after the last to return."""
    if before.error is None:
        return before.step or _FROM_OUTSIDE
    return NEXT_STEP.get((before.step, before.outcome), "close_run")


def start_command(given: Mapping[str, Any], place: Place) -> str:
    """The command that starts an execution, as a shell takes it."""
    text = shlex.quote(json.dumps(given))
    return f"aws stepfunctions start-execution --state-machine-arn {place.machine_arn} --input {text}"


def _ended(state: RunState) -> str:
    return "is undecided" if state.outcome == Outcome.UNDECIDED else "failed"


def _night(state: RunState, run: Execution) -> str:
    if state.scheduled_time:
        return f" in the night of {state.scheduled_time[:10]}"
    return f" in a run started by hand on {run.started_at:%Y-%m-%d at %H:%M} UTC"


def _batch(state: RunState) -> str:
    if state.batch_id is None:
        return "none on record"
    period = f", {state.period}" if state.period is not None else ""
    return f"{state.batch_id}{period}, ordered at {state.ordered_at}"


def _saved(state: RunState) -> str:
    if state.bytes is None:
        return _FROM_OUTSIDE if state.error_name in _STOPPED else "nothing on record"
    loaded = f", {state.rows} rows read from them" if state.rows is not None else ""
    return f"{state.bytes} bytes in raw/{loaded}"


def _lost(state: RunState) -> tuple[str, ...]:
    return (
        f"Lost days       {state.unreachable_days}: no success came in time, and Symplify exports no more than the "
        "last two weeks.",
    )


def _again(state: RunState, name: str, place: Place) -> tuple[str, ...]:
    given: dict[str, Any] = {"exportType": state.export_type}
    if state.replay is not None:
        given["replay"] = dict(state.replay)
    command = f"  {start_command(given, place)}"
    if name in ACCOUNT_WIDE:
        return (
            "Every export of this night fails for the same reason. With a valid token in place, run each again:",
            command,
        )
    return ("Run it again:", command)


def _ascii(text: str) -> str:
    return " ".join(text.encode("ascii", "replace").decode().split())[:_SUBJECT]
