"""Order the export, at most once unless an answer was lost, and then on the record."""

from dataclasses import replace
from datetime import datetime, timedelta

from lambdas.ledger import Ledger, Order
from lambdas.run import Execution, RunState
from lambdas.settings import Settings
from lambdas.symplify.client import Client
from lambdas.symplify.outcomes import Lost, Ordered, RateLimited
from lambdas.symplify.vocabulary import period


def order(
    state: RunState, run: Execution, ledger: Ledger, client: Client, settings: Settings, now: datetime
) -> RunState:
    """Return the state with outcome `ordered`, `rate_limited`, `order_unknown` or `failed`.

    The intent stands in the ledger before the order is sent and the batch id right after. Whoever finds an intent
    without an answer (this function once more, after a crash) treats the answer as lost: it waits a grace and then
    orders once more, up to the cap of the settings.

    Raises:
        UnknownName: the state's period is none that Symplify has.
    """
    asked = period(state.period or "")
    before = ledger.order(run)
    if before.batch_id is not None:
        return _ordered(state, before, settings)
    lost = before.lost
    if before.intent_at is not None:
        grace_ends = datetime.fromisoformat(before.intent_at) + timedelta(seconds=settings.order_grace_seconds)
        if now < grace_ends:
            return replace(state, outcome="order_unknown", wait_seconds=int((grace_ends - now).total_seconds()) + 1)
        lost += 1
        if lost >= settings.order_attempts:
            return replace(
                state,
                outcome="failed",
                reason=f"The answers to {lost} orders were lost, so up to {lost} batches may be waiting in Symplify. "
                "The next run orders again.",
            )
    intent_at = now.isoformat(timespec="microseconds")
    ledger.write_intent(run, intent_at, lost)
    answer = client.order(state.export, asked)
    match answer:
        case Ordered(batch_id):
            placed = Order(intent_at, lost, batch_id, intent_at)
            ledger.write_order(run, placed, asked.value)
            return _ordered(state, placed, settings)
        case RateLimited(seconds):
            ledger.withdraw_intent(run, lost)
            return replace(state, outcome="rate_limited", wait_seconds=seconds)
        case Lost(reason):
            return replace(state, outcome="order_unknown", wait_seconds=settings.order_grace_seconds, reason=reason)
    ledger.withdraw_intent(run, lost)
    return replace(state, outcome="failed", reason=answer.reason)


def _ordered(state: RunState, placed: Order, settings: Settings) -> RunState:
    return replace(
        state,
        outcome="ordered",
        batch_id=placed.batch_id,
        ordered_at=placed.ordered_at,
        wait_seconds=settings.poll_first_seconds,
        reason=None,
    )
