"""Why a run failed, as a name for machines and a sentence for people."""

import json
from contextlib import suppress
from dataclasses import dataclass

from lambdas.execution import RunState
from lambdas.ledger.orders import COPIED, DEAD, LOADED, ORDERED
from lambdas.steps.deadline import OVERDUE

BAD_INPUT = "BadInput"
MAYBE_ORDERED = "maybe ordered"
"""Said of a batch instead of its status when an intent stands without an answer."""

_ANEW = "the next run orders anew."

# Step Functions takes 32 KiB of cause and 256 characters of a name; a person reads less.
_CAUSE, _SENTENCE, _NAME = 500, 4000, 200

_NAMES = {OVERDUE: "RunOverdue", "failed": "ExportFailed", "duplicate": "DuplicateRun"}
_DID_NOTHING = (BAD_INPUT, "DuplicateRun")


@dataclass(frozen=True)
class Failure:
    """What a failed run tells."""

    name: str
    sentence: str


def failure_of(state: RunState, batch_status: str | None) -> Failure:
    """Describe the failure: what happened, to which export and batch, what is kept, and what to do.

    `batch_status` is `MAYBE_ORDERED` or the ledger's word on the run's batch once the failure has been counted.
    """
    if state.error is not None:
        name = str(state.error.get("Error") or "Error")
    else:
        name = state.error_name or _NAMES.get(state.outcome, "UnknownOutcome")
    subject = [state.export_type or "A run without an export type", state.period]
    subject += [f"batch {state.batch_id}"] if state.batch_id else []
    parts = [_what(state)]
    if name not in _DID_NOTHING:
        parts += [_kept(state, batch_status), _todo(state)]
    sentence = f"{', '.join(part[:100] for part in subject if part)}: {' '.join(part for part in parts if part)}"
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in sentence).split())
    return Failure(name[:_NAME], plain[:_SENTENCE])


def _what(state: RunState) -> str:
    if state.error is not None:
        return f"A step failed with {state.error.get('Error') or 'an error'}: {_cause(state.error.get('Cause') or '')}."
    if state.outcome == "duplicate":
        return "Another execution has this scheduled time, so this one did nothing."
    if state.outcome in ("failed", OVERDUE):
        return state.reason or f"A step ended with the outcome '{state.outcome}' and gave no reason."
    return f"A step ended with the outcome '{state.outcome}', which nobody knows. {state.reason or ''}"


def _cause(text: str) -> str:
    """A function's error arrives as JSON with its stack trace; its message is for people."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        text = json.loads(text)["errorMessage"]
    return str(text)[:_CAUSE].strip().rstrip(".") or "no cause given"


def _kept(state: RunState, batch_status: str | None) -> str:
    if state.replay is not None:
        return "Raw is as it was, and every day of the table is whole; the same replay may be started again."
    raw = f"Its {state.bytes} bytes are safe in raw/" if state.bytes is not None else "Its bytes are safe in raw/"
    if batch_status == LOADED:
        return "The rows are loaded; what follows the load failed."
    if batch_status == COPIED:
        return f"{raw}, and the next run loads them from there."
    if batch_status == ORDERED:
        return "The batch was ordered and not copied; the next run takes it up again."
    if batch_status == DEAD:
        return f"{f'{raw}. ' if state.bytes is not None else ''}The batch is not tried again; the next run orders anew."
    if batch_status == MAYBE_ORDERED:
        return "An order was sent and its answer is not on record, so a batch may be waiting in Symplify; " + _ANEW
    return f"No batch is on record; {_ANEW}"


def _todo(state: RunState) -> str:
    given = {"exportType": state.export_type} | ({} if state.replay is None else {"replay": dict(state.replay)})
    return f"To run it now, start the machine with {json.dumps(given)}."
