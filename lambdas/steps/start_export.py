"""Order the export: at most once, unless an answer is lost; then again, with the lost order on record."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from lambdas.execution import Execution, RunState
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.failure import refused
from lambdas.symplify.answers import Lost, Ordered, OrderUnusable, RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.vocabulary import Period, period


def start_export(
    state: RunState, run: Execution, *, ledger: Ledger, client: Client, settings: Settings, now: datetime
) -> RunState:
    """Return the state with outcome `ordered`, `rate_limited`, `order_unknown`, `overdue` or `failed`.

    The ledger has the intent before the order is sent, and the batch id right after. An intent without an answer, which
    this function finds after a crash, means that the answer is lost: it waits for a grace period and orders once more,
    up to the cap of the settings.

    Raises:
        UnknownName: the state's period is none that Symplify has.
    """
    asked = period(state.period or "")
    before = ledger.order(run)
    if before.batch_id is not None:
        # The step may have crashed between the two writes of an order.
        return _recorded(state, run, before, asked, ledger=ledger, settings=settings)
    waiting = partial(wait, state, run=run, limit=settings.run_deadline, now=now)
    unknown = partial(waiting, Outcome.ORDER_UNKNOWN, expectation="No order was confirmed")
    lost = before.lost
    if before.intent_at is not None:
        grace_ends = datetime.fromisoformat(before.intent_at) + timedelta(seconds=settings.order_grace_seconds)
        if now < grace_ends:
            return unknown(int((grace_ends - now).total_seconds()) + 1, cause=_maybe(lost + 1))
        lost += 1
        if lost >= settings.order_attempts:
            return refused(state, Refused(_maybe(lost)))
    # Before the intent, since a token that cannot be read must not count as a lost answer.
    not_ready = client.ready()
    if not_ready is not None:
        return refused(state, not_ready)
    intent_at = now.isoformat(timespec="microseconds")
    if not ledger.write_intent(run, intent_at, lost, before):
        return unknown(settings.order_grace_seconds, cause=_maybe(lost + 1))
    answer = client.order(state.export, asked)
    match answer:
        case Ordered(batch_id):
            placed = Order(intent_at=intent_at, lost=lost, batch_id=batch_id, ordered_at=intent_at)
            return _recorded(state, run, placed, asked, ledger=ledger, settings=settings)
        case Lost(reason) | OrderUnusable(reason):
            # The intent stays, since there may be a batch.
            maybe = unknown(settings.order_grace_seconds, cause=f"{reason} {_maybe(lost + 1)}")
            return refused(state, answer) if isinstance(answer, OrderUnusable) else maybe
    # Every other answer means that nothing was ordered.
    ledger.withdraw_intent(run, lost)
    if isinstance(answer, Refused):
        return refused(state, answer)
    seconds, cause = _pause(answer, settings)
    earlier = f" {_maybe(lost)}" if lost else ""
    return waiting(Outcome.RATE_LIMITED, seconds, expectation="Nothing was ordered", cause=f"{cause}{earlier}")


def _pause(answer: RateLimited | Unavailable, settings: Settings) -> tuple[int, str]:
    """How many seconds to wait after an answer that ordered nothing, and why."""
    match answer:
        case RateLimited(seconds, cause):
            return seconds, cause
        case Unavailable(reason):
            return settings.poll_max_seconds, reason


def _maybe(lost: int) -> str:
    if lost == 1:
        return "The answer to an order was lost, so a batch may be waiting in Symplify that nobody will fetch."
    return f"The answers to {lost} orders were lost, so up to {lost} batches may be waiting in Symplify."


def _recorded(
    state: RunState, run: Execution, placed: Order, asked: Period, *, ledger: Ledger, settings: Settings
) -> RunState:
    if not ledger.write_order(run, placed, asked.value):
        # Never a fresh result: its rows would count as this order's, and the watermark would pass over what they lack.
        reason = (
            f"Symplify answered the order with batch {placed.batch_id}, the id that an earlier order of this or of "
            "another export got, so there is no new result, and nothing was copied. Look at that batch in Symplify; if "
            "its ids are not unique, ask its support."
        )
        return refused(state, OrderUnusable(reason))
    return replace(
        state,
        outcome=Outcome.ORDERED,
        batch_id=placed.batch_id,
        ordered_at=placed.ordered_at,
        wait_seconds=settings.poll_first_seconds,
        reason=None,
    )
