"""Plan a run: claim its scheduled time, take the lease, choose the period, adopt an earlier run's unloaded batch."""

from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.execution import TAKES, BadInput, Execution, RunState
from lambdas.lake.storage.landing import PART_BYTES, SMALLEST_PART
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED, BatchRecord
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.lease_takeover import StoppedAt, take_lease
from lambdas.steps.replay_request import Selection
from lambdas.vocabulary import Period, period

# A night follows the last one by a day, give or take the waits of both.
REGULAR_NIGHT = timedelta(hours=36)


def plan_run(
    state: RunState, run: Execution, *, ledger: Ledger, settings: Settings, stopped_at: StoppedAt, now: datetime
) -> RunState:
    """Return the state with outcome `planned`, `adopted`, `landed`, `replay`, `busy`, `duplicate` or `overdue`.

    Raises:
        UnknownName: the explicit period is none that Symplify has.
        BadInput: the input has more than an execution takes, or a scheduled time that is no time.
    """
    _check_input(state)
    asked = period(state.period) if state.period is not None else None
    if state.scheduled_time is not None and not ledger.claim(state.scheduled_time, run, now):
        return replace(state, outcome=Outcome.DUPLICATE, wait_seconds=None)
    seconds = take_lease(run, ledger, settings=settings, stopped_at=stopped_at, now=now)
    if seconds is not None:
        return wait(
            state,
            Outcome.BUSY,
            seconds,
            run=run,
            limit=min(timedelta(seconds=settings.lease_wait_seconds), settings.run_deadline),
            now=now,
            expectation="The lease was not free",
            cause="Another run of this export type has it. Look at the machine's running executions, and start this "
            "one again when the other has ended.",
        )
    if state.replay is not None:
        return replace(state, export_type=state.export.name, outcome=Outcome.REPLAY, wait_seconds=None)
    watermark = ledger.watermark()
    chosen = asked or _period(run, watermark, settings, now)
    planned = replace(
        state,
        export_type=state.export.name,
        period=chosen.value,
        unreachable_days=_unreachable(watermark, now),
        outcome=Outcome.PLANNED,
        wait_seconds=None,
    )
    batch = _adopted_batch(run, ledger, needed=chosen, watermark=watermark, now=now)
    if batch is None:
        return planned
    return replace(
        planned,
        period=batch.period,
        batch_id=batch.batch_id,
        ordered_at=batch.ordered_at,
        outcome=Outcome.LANDED if batch.status == COPIED else Outcome.ADOPTED,
    )


def leaves_no_gap(covered: Period, ordered_at: datetime, watermark: datetime | None, nightly: Period) -> bool:
    """Whether an export of that period reaches back to the watermark.

    A period is trusted for a day less than its name says. The configured nightly period is trusted for a regular night
    as well, since a team that sets LAST_DAY has chosen so. Before the first success only the longest period leaves no
    gap.
    """
    if covered is Period.TODAY:
        return False
    if watermark is None:
        return covered is Period.LAST_2_WEEKS
    gap = ordered_at - watermark
    return gap <= covered.trusted or (covered is nightly and gap <= REGULAR_NIGHT) or covered is Period.LAST_2_WEEKS


def _check_input(state: RunState) -> None:
    """Refuse fields that only steps may write, except those of a run that has waited for the lease (`busy`)."""
    ours = {"outcome", "step", "waitSeconds"} if state.outcome == Outcome.BUSY else set()
    takes = {"exportType", "period", "scheduledTime", "replay", "partBytes"}
    others = sorted(set(state.to_json()) - takes - ours)
    if others:
        raise BadInput(f"The input has {', '.join(map(repr, others))}, which only a run itself writes; {TAKES}.")
    if state.replay is not None:
        Selection.from_json(state.replay)
        if state.period is not None or state.scheduled_time is not None or state.part_bytes is not None:
            raise BadInput("A replay orders nothing, so it takes neither period nor scheduledTime nor partBytes.")
    if state.part_bytes is not None and not SMALLEST_PART <= state.part_bytes <= PART_BYTES:
        raise BadInput(
            f"partBytes is {state.part_bytes} and must be from {SMALLEST_PART} (S3's smallest part) to {PART_BYTES}."
        )
    if state.scheduled_time is not None:
        try:
            datetime.fromisoformat(state.scheduled_time)
        except ValueError:
            raise BadInput(
                f"scheduledTime is '{state.scheduled_time[:100]}' and must be a time such as 2026-01-31T03:30:00Z; "
                "a run that is started by hand needs none."
            ) from None


def _period(run: Execution, watermark: datetime | None, settings: Settings, now: datetime) -> Period:
    nightly = period(settings.nightly_period)
    sweep = settings.sweep_weekday == f"{run.started_at:%A}".upper()
    return nightly if not sweep and leaves_no_gap(nightly, now, watermark, nightly) else Period.LAST_2_WEEKS


def _unreachable(watermark: datetime | None, now: datetime) -> str | None:
    if watermark is None or now - watermark <= Period.LAST_2_WEEKS.trusted:
        return None
    return f"{watermark:%Y-%m-%d}..{now - Period.LAST_2_WEEKS.trusted:%Y-%m-%d}"


def _adopted_batch(
    run: Execution, ledger: Ledger, needed: Period, watermark: datetime | None, now: datetime
) -> BatchRecord | None:
    """Adopt the newest unloaded batch of an earlier run that serves this one as well as an order of its own.

    It reaches as far back as the plan needs, was ordered within `REGULAR_NIGHT` (later events arrive with the next
    export), and is newer than all that is loaded. TODAY means another day every day, so it is never adopted.
    """
    for batch in ledger.unloaded_batches():
        if batch.owner == run.arn:
            return batch
        covered, ordered_at = period(batch.period), datetime.fromisoformat(batch.ordered_at)
        reaches = covered.trusted >= needed.trusted and Period.TODAY not in (covered, needed)
        is_new = now - ordered_at <= REGULAR_NIGHT and (watermark is None or ordered_at > watermark)
        if reaches and is_new and ledger.adopt(batch, run):
            return batch
    return None
