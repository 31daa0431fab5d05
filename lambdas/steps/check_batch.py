"""Ask how far the batch is, and decide when to ask again."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from lambdas.execution import Execution, RunState
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.failure import refused
from lambdas.symplify.answers import Batch, BatchState, NotFound, RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client

# Symplify may not know a batch everywhere right after it was ordered.
NOT_FOUND_GRACE = timedelta(minutes=5)
GROWTH = 1.5


def check_batch(state: RunState, run: Execution, client: Client, settings: Settings, now: datetime) -> RunState:
    """Return the state with outcome `running`, `rate_limited`, `finished`, `overdue` or `failed`.

    Raises:
        BadInput: the state has no batch.
    """
    ordered_at, batch_id = state.age
    answer = client.batch(batch_id, settings.batch_statuses)
    asked = replace(state, polls=state.polls + 1)
    if isinstance(answer, Batch):
        asked = replace(asked, progress=_progress(answer))
    waiting = partial(
        wait,
        asked,
        run=run,
        limit=settings.run_deadline,
        now=now,
        expectation="The batch was not seen to be finished",
    )
    interval = _interval(state.polls, settings)
    match answer:
        case Batch(state=BatchState.FINISHED):
            return replace(asked, outcome=Outcome.FINISHED, wait_seconds=None, reason=None)
        case Batch(state=BatchState.FAILED):
            return refused(asked, Refused("Symplify says that the batch has failed."))
        case Batch():
            return waiting(Outcome.RUNNING, interval, cause=f"Its progress was {asked.progress or 'not reported'}.")
        case RateLimited(seconds, cause):
            return waiting(Outcome.RATE_LIMITED, seconds, cause=cause)
        case Unavailable(reason):
            return waiting(Outcome.RUNNING, interval, cause=reason)
        case NotFound(reason) if now - datetime.fromisoformat(ordered_at) < NOT_FOUND_GRACE:
            return waiting(Outcome.RUNNING, interval, cause=reason)
    return refused(asked, answer)


def _interval(polls: int, settings: Settings) -> int:
    # The exponent is bounded, since a float power overflows after a long wait.
    return int(min(settings.poll_max_seconds, settings.poll_first_seconds * GROWTH ** min(polls, 50)))


def _progress(batch: Batch) -> str | None:
    if batch.processed is None and batch.total is None:
        return None
    return f"{'?' if batch.processed is None else batch.processed}/{'?' if batch.total is None else batch.total}"
