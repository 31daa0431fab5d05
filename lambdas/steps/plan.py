"""Plan a run: claim its time, take the lease, choose the period, find a batch that an earlier run left."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.ledger import COPIED, BatchRecord, Ledger
from lambdas.run import Execution, RunState
from lambdas.settings import Settings
from lambdas.symplify.vocabulary import Period, period

# A night is a day after the last one, give or take the waiting in between.
REGULAR_NIGHT = timedelta(hours=36)

# How often a run that waits for the lease looks again.
LEASE_POLL_SECONDS = 60

StoppedAt = Callable[[str], datetime | None]
"""When an execution ended, by its ARN: None while it runs, and long ago when nobody remembers it."""


def plan(
    state: RunState, run: Execution, ledger: Ledger, settings: Settings, stopped_at: StoppedAt, now: datetime
) -> RunState:
    """Return the state with outcome `planned`, `adopted`, `landed`, `busy`, `duplicate` or `failed`.

    Raises:
        UnknownName: the explicit period is none that Symplify has.
    """
    asked = period(state.period) if state.period else None
    if state.scheduled_time and not ledger.claim(state.scheduled_time, run, now):
        return replace(state, outcome="duplicate")
    wait = _take_lease(run, ledger, settings, stopped_at, now)
    if wait is not None:
        if now - run.started_at > timedelta(seconds=settings.lease_wait_seconds):
            return replace(
                state,
                outcome="failed",
                reason="Another run of this export type held the lease for too long. Look at the machine's "
                "running executions, and start this one again when the other has ended.",
            )
        return replace(state, outcome="busy", wait_seconds=wait)
    watermark = ledger.watermark()
    chosen = asked or _period(run, watermark, settings, now)
    planned = replace(
        state,
        export_type=state.export.name,
        period=chosen.value,
        unreachable_days=_unreachable(watermark, now),
        outcome="planned",
        wait_seconds=None,
    )
    left = _left_over(run, ledger, chosen, now)
    if left is None:
        return planned
    return replace(
        planned,
        period=left.period,
        batch_id=left.batch_id,
        ordered_at=left.ordered_at,
        outcome="landed" if left.status == COPIED else "adopted",
    )


def leaves_no_gap(covered: Period, ordered_at: datetime, watermark: datetime | None, nightly: Period) -> bool:
    """Whether an export of that period reaches back to the watermark.

    A period is trusted for a day less than its name says. A regular night with the team's own period is enough too:
    who sets LAST_DAY for the nights has chosen it. Before the first success only the longest period leaves no gap.
    """
    if covered is Period.TODAY:
        return False
    if watermark is None:
        return covered is Period.LAST_2_WEEKS
    gap = ordered_at - watermark
    return gap <= covered.trusted or (covered is nightly and gap <= REGULAR_NIGHT) or covered is Period.LAST_2_WEEKS


def _period(run: Execution, watermark: datetime | None, settings: Settings, now: datetime) -> Period:
    nightly = period(settings.nightly_period)
    sweep = settings.sweep_weekday == f"{run.started_at:%A}".upper()
    return nightly if not sweep and leaves_no_gap(nightly, now, watermark, nightly) else Period.LAST_2_WEEKS


def _unreachable(watermark: datetime | None, now: datetime) -> str | None:
    if watermark is None or now - watermark <= Period.LAST_2_WEEKS.trusted:
        return None
    return f"{watermark:%Y-%m-%d}..{now - Period.LAST_2_WEEKS.trusted:%Y-%m-%d}"


def _take_lease(run: Execution, ledger: Ledger, settings: Settings, stopped_at: StoppedAt, now: datetime) -> int | None:
    """Take the lease, or return how many seconds to wait before trying again.

    A dead owner's last function may still be at work, so its lease is free only when the longest function time-out has
    passed since the owner ended.
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


def _left_over(run: Execution, ledger: Ledger, needed: Period, now: datetime) -> BatchRecord | None:
    """The newest batch that an earlier run left and that reaches as far back as the plan needs."""
    for batch in ledger.batches_left_over():
        if batch.owner == run.arn:
            return batch
        age = now - datetime.fromisoformat(batch.ordered_at)
        reach = period(batch.period).trusted - needed.trusted
        if age <= max(reach, timedelta(0)) + REGULAR_NIGHT and reach >= timedelta(0) and ledger.adopt(batch, run):
            return batch
    return None
