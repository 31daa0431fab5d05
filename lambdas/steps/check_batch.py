"""Ask how far the batch is, and say when to ask again."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from lambdas.execution import Execution, RunState
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.refusal import refused
from lambdas.symplify.answers import Batch, BatchState, NotFound, RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client

# A batch that was ordered a moment ago may not be known everywhere at the vendor's yet.
NOT_FOUND_GRACE = timedelta(minutes=5)
GROWTH = 1.5


def check_batch(state: RunState, run: Execution, client: Client, settings: Settings, now: datetime) -> RunState:
    """Return the state with outcome `running`, `rate_limited`, `finished`, `overdue` or `failed`.

    Raises:
        BadInput: the state has no batch.
    """
    ordered_at, batch_id = state.age
    answer = client.batch(batch_id)
    asked = replace(state, polls=state.polls + 1)
    if isinstance(answer, Batch):
        asked = replace(asked, progress=_progress(answer))
    waiting = partial(
        wait, asked, run=run, limit=settings.run_deadline, now=now, unmet="The batch was not seen to be finished"
    )
    interval = _interval(state.polls, settings)
    match answer:
        case Batch(state=BatchState.FINISHED):
            return replace(asked, outcome="finished", wait_seconds=None, reason=None)
        case Batch(state=BatchState.FAILED):
            return refused(asked, Refused("Symplify says that the batch has failed."))
        case Batch():
            return waiting("running", interval, why=f"Its progress was {asked.progress or 'not told'}.")
        case RateLimited(seconds):
            return waiting("rate_limited", seconds, why="Symplify answered 'too many requests' (429) at last.")
        case Unavailable(reason):
            return waiting("running", interval, why=reason)
        case NotFound(reason) if now - datetime.fromisoformat(ordered_at) < NOT_FOUND_GRACE:
            return waiting("running", interval, why=reason)
    return refused(asked, answer)


def _interval(polls: int, settings: Settings) -> int:
    # Bounded exponent: a float power of a long wait would overflow.
    return int(min(settings.poll_max_seconds, settings.poll_first_seconds * GROWTH ** min(polls, 50)))


def _progress(batch: Batch) -> str | None:
    if batch.processed is None and batch.total is None:
        return None
    return f"{'?' if batch.processed is None else batch.processed}/{'?' if batch.total is None else batch.total}"
