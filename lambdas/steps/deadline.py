"""Waiting, bounded: the one place that decides whether a run may still wait."""

import math
from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.execution import Execution, RunState

OVERDUE = "overdue"

# A round of the machine (task, choice, wait) writes 9 events into a history that ends at 25,000. So many waits within a
# limit are 10,800, whatever the settings and the vendor's Retry-After say.
_MOST_WAITS = 1200


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

    A wait takes a small part of the limit at least: 18 s of six hours.
    `unmet` and `why` make the sentence then: "`unmet` within 360 minutes of the run's start. `why`".
    """
    seconds = max(seconds, math.ceil(limit.total_seconds() / _MOST_WAITS))
    if now + timedelta(seconds=seconds) <= run.started_at + limit:
        return replace(state, outcome=outcome, wait_seconds=seconds, reason=None)
    minutes = int(limit.total_seconds() // 60)
    return replace(
        state, outcome=OVERDUE, wait_seconds=None, reason=f"{unmet} within {minutes} minutes of the run's start. {why}"
    )
