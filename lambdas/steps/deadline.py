"""Waiting within a deadline: the one place that decides whether a run may still wait."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.execution import Execution, RunState
from lambdas.outcome import Outcome

# A round of the machine (task, choice, wait) writes 9 events into a history that ends at 25,000. So many waits within a
# limit write 10,800, whatever the settings and the vendor's Retry-After say.
_MOST_WAITS = 1200


def wait(
    state: RunState,
    outcome: Outcome,
    seconds: int,
    *,
    run: Execution,
    limit: timedelta,
    now: datetime,
    expectation: str,
    cause: str,
) -> RunState:
    """Return the state that waits with that outcome, or `overdue` when the wait would end beyond the run's limit.

    A wait takes at least a small part of the limit: 18 s of six hours. When the run is overdue, `expectation` and
    `cause` make the sentence "`expectation` within 360 minutes of the run's start. `cause`".
    """
    seconds = max(seconds, math.ceil(limit.total_seconds() / _MOST_WAITS))
    if now + timedelta(seconds=seconds) <= run.started_at + limit:
        return replace(state, outcome=outcome, wait_seconds=seconds, reason=None)
    minutes = int(limit.total_seconds() // 60)
    reason = f"{expectation} within {minutes} minutes of the run's start. {cause}"
    return replace(state, outcome=Outcome.OVERDUE, wait_seconds=None, reason=reason)
