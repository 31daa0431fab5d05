"""Waiting, bounded: the one place that decides whether a run may still wait."""

from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.run import Execution, RunState

OVERDUE = "overdue"


def wait(
    state: RunState,
    outcome: str,
    seconds: int,
    *,
    run: Execution,
    limit: timedelta,
    now: datetime,
    unmet: str,
    why: str,
) -> RunState:
    """Return the state that waits with that outcome, or `overdue` when the wait would end beyond the run's limit.

    `unmet` and `why` make the sentence then: "`unmet` within 360 minutes of the run's start. `why`".
    """
    if now + timedelta(seconds=seconds) <= run.started_at + limit:
        return replace(state, outcome=outcome, wait_seconds=max(seconds, 1), reason=None)
    minutes = int(limit.total_seconds() // 60)
    return replace(
        state, outcome=OVERDUE, wait_seconds=None, reason=f"{unmet} within {minutes} minutes of the run's start. {why}"
    )
