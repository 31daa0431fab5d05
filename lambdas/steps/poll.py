"""Ask how far the batch is, and say when to ask again."""

from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.run import Execution, RunState
from lambdas.settings import Settings
from lambdas.symplify.client import Client
from lambdas.symplify.outcomes import Batch, BatchState, NotFound, RateLimited, Unavailable

# A batch that was ordered a moment ago may not be known everywhere at the vendor's yet.
NOT_FOUND_GRACE = timedelta(minutes=5)
GROWTH = 1.5


def poll(state: RunState, run: Execution, client: Client, settings: Settings, now: datetime) -> RunState:
    """Return the state with outcome `running`, `rate_limited`, `finished`, `overdue` or `failed`.

    Raises:
        BadInput: the state has no batch.
    """
    ordered_at, batch_id = state.age
    answer = client.batch(batch_id)
    asked = replace(state, polls=state.polls + 1)
    match answer:
        case Batch(state=BatchState.FINISHED):
            return replace(asked, outcome="finished", progress=_progress(answer), wait_seconds=None)
        case Batch(state=BatchState.FAILED):
            return replace(
                asked, outcome="failed", progress=_progress(answer), reason="Symplify says that the batch has failed."
            )
        case Batch():
            waiting = replace(asked, progress=_progress(answer))
            return _wait(waiting, run, settings, now, "running", _interval(state.polls, settings))
        case RateLimited(seconds):
            return _wait(asked, run, settings, now, "rate_limited", seconds)
        case Unavailable():
            return _wait(asked, run, settings, now, "running", _interval(state.polls, settings))
        case NotFound() if now - datetime.fromisoformat(ordered_at) < NOT_FOUND_GRACE:
            return _wait(asked, run, settings, now, "running", _interval(state.polls, settings))
    return replace(asked, outcome="failed", reason=answer.reason)


def _wait(state: RunState, run: Execution, settings: Settings, now: datetime, outcome: str, seconds: int) -> RunState:
    if now + timedelta(seconds=seconds) > run.started_at + settings.run_deadline:
        return replace(
            state,
            outcome="overdue",
            wait_seconds=None,
            reason=f"The batch was not finished {settings.run_deadline_minutes} minutes after the run's start "
            f"(progress: {state.progress or 'unknown'}). The next run takes it up again.",
        )
    return replace(state, outcome=outcome, wait_seconds=seconds)


def _interval(polls: int, settings: Settings) -> int:
    # Bounded exponent: a float power of a long wait would overflow.
    return int(min(settings.poll_max_seconds, settings.poll_first_seconds * GROWTH ** min(polls, 50)))


def _progress(batch: Batch) -> str | None:
    if batch.processed is None and batch.total is None:
        return None
    return f"{'?' if batch.processed is None else batch.processed}/{'?' if batch.total is None else batch.total}"
