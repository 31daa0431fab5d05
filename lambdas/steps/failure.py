"""Why a run failed: a name for machines, and a sentence for people."""

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace

from lambdas.execution import RunState
from lambdas.ledger.orders import COPIED, DEAD, LOADED, ORDERED, UNDECIDED
from lambdas.outcome import ErrorName, Outcome
from lambdas.symplify.answers import BadToken, NoToken, Refused

MAYBE_ORDERED = "maybe ordered"
"""Stands for a batch's status when an order was sent and its answer is not on record."""

_NEW_ORDER = "the next run orders a new one."

# Step Functions takes 32 KiB of cause and 256 characters of a name; these are for readers.
_CAUSE, _SENTENCE, _NAME = 500, 4000, 200

_BY_OUTCOME = {
    Outcome.OVERDUE: ErrorName.RUN_OVERDUE,
    Outcome.FAILED: ErrorName.EXPORT_FAILED,
    Outcome.UNDECIDED: ErrorName.UNDECIDED,
    Outcome.DUPLICATE: ErrorName.DUPLICATE_RUN,
}
_DID_NOTHING = (ErrorName.BAD_INPUT, ErrorName.DUPLICATE_RUN)
# These have a name of their own since they say nothing of the batch: with a good token the next run adopts it.
_BY_ANSWER: Mapping[type[Refused], ErrorName] = {BadToken: ErrorName.BAD_TOKEN, NoToken: ErrorName.TOKEN_NOT_SET}


@dataclass(frozen=True)
class Failure:
    """The error name of a failed run, and its sentence."""

    name: str
    sentence: str


def refused(state: RunState, answer: Refused) -> RunState:
    """Return the state with outcome `failed` and the sentence of Symplify's final refusal."""
    error_name = _BY_ANSWER.get(type(answer))
    return replace(state, outcome=Outcome.FAILED, wait_seconds=None, reason=answer.reason, error_name=error_name)


def failure_of(state: RunState, batch_status: str | None) -> Failure:
    """Describe the failure: what happened, to which export and batch, what is kept, and what to do.

    `batch_status` is the status in the ledger of the run's batch, once the failure is counted, or `MAYBE_ORDERED`.
    """
    if state.error is not None:
        name = str(state.error.get("Error") or ErrorName.ERROR)
    else:
        name = state.error_name or _BY_OUTCOME.get(state.outcome, ErrorName.UNKNOWN_OUTCOME)
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
    if state.outcome == Outcome.DUPLICATE:
        return "Another execution has this scheduled time, so this one did nothing."
    if state.outcome in (Outcome.FAILED, Outcome.OVERDUE, Outcome.UNDECIDED):
        return state.reason or f"A step ended with the outcome '{state.outcome}' and gave no reason."
    return f"A step ended with the outcome '{state.outcome}', which is unknown. {state.reason or ''}"


def _cause(text: str) -> str:
    """The message of a function's error, which arrives as JSON with a stack trace."""
    with suppress(ValueError, TypeError, KeyError, RecursionError):
        text = json.loads(text)["errorMessage"]
    return str(text)[:_CAUSE].strip().rstrip(".") or "no cause given"


def _kept(state: RunState, batch_status: str | None) -> str:
    if state.replay is not None:
        return "raw/ is unchanged and every day of the table is complete; the same replay may be started again."
    raw = f"Its {state.bytes} bytes are safe in raw/" if state.bytes is not None else "Its bytes are safe in raw/"
    if batch_status == LOADED:
        return "The rows are loaded; what follows the load failed."
    if batch_status == COPIED:
        return f"{raw}, and the next run loads them from there."
    if batch_status == UNDECIDED:
        return f"{raw}; nothing was published. Nights go on landing, and all is loaded as soon as it is decided."
    if batch_status == ORDERED:
        return "The batch was ordered and not copied; the next run resumes it."
    if batch_status == DEAD:
        return f"{f'{raw}. ' if state.bytes is not None else ''}The batch is not tried again; {_NEW_ORDER}"
    if batch_status == MAYBE_ORDERED:
        return "An order was sent and its answer is not on record, so a batch may be waiting in Symplify; " + _NEW_ORDER
    return f"No batch is on record; {_NEW_ORDER}"


def _todo(state: RunState) -> str:
    given = {"exportType": state.export_type} | ({} if state.replay is None else {"replay": dict(state.replay)})
    return f"To run it now, start the machine with {json.dumps(given)}."
