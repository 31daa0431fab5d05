"""Take the lease on an export type's table, also from an execution that has ended without releasing it."""

from collections.abc import Callable
from datetime import datetime, timedelta

from lambdas.execution import Execution
from lambdas.ledger.ledger import Ledger
from lambdas.settings import Settings

# How often a run that waits for the lease asks again.
LEASE_POLL_SECONDS = 60

StoppedAt = Callable[[str], datetime | None]
"""When an execution ended, by its ARN: None while it runs, long ago when Step Functions has forgotten it."""


def take_lease(run: Execution, ledger: Ledger, settings: Settings, stopped_at: StoppedAt, now: datetime) -> int | None:
    """Take the lease, or return how many seconds to wait before the next try.

    The last function of an execution that has ended may still be at work, so its lease is taken over only when the
    longest function time-out has passed since.
    """
    if ledger.take_lease(run, now):
        return None
    lease = ledger.lease()
    if lease is None:
        return 1
    ended = stopped_at(lease.owner)
    if ended is None:
        return LEASE_POLL_SECONDS
    free_at = ended + timedelta(seconds=settings.longest_function_seconds)
    if now < free_at:
        return min(LEASE_POLL_SECONDS, int((free_at - now).total_seconds()) + 1)
    return None if ledger.take_lease(run, now, instead_of=lease.owner) else 1
