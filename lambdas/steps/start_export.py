"""Order the export, at most once unless an answer was lost, and then on the record."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from lambdas.execution import Execution, RunState
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.refusal import refused
from lambdas.symplify.answers import Lost, Ordered, RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.vocabulary import period


def start_export(
    state: RunState, run: Execution, ledger: Ledger, client: Client, settings: Settings, now: datetime
) -> RunState:
    """Return the state with outcome `ordered`, `rate_limited`, `order_unknown`, `overdue` or `failed`.

    The intent stands in the ledger before the order is sent and the batch id right after. Whoever finds an intent
    without an answer (this function once more, after a crash) treats the answer as lost: it waits a grace and then
    orders once more, up to the cap of the settings.

    Raises:
        UnknownName: the state's period is none that Symplify has.
    """
    asked = period(state.period or "")
    before = ledger.order(run)
    if before.batch_id is not None:
        # A crash may have come between the two writes of an order.
        ledger.write_order(run, before, asked.value)
        return _ordered(state, before, settings)
    waiting = partial(wait, state, run=run, limit=settings.run_deadline, now=now)
    unknown = partial(waiting, "order_unknown", unmet="No order was confirmed")
    lost = before.lost
    if before.intent_at is not None:
        grace_ends = datetime.fromisoformat(before.intent_at) + timedelta(seconds=settings.order_grace_seconds)
        if now < grace_ends:
            return unknown(int((grace_ends - now).total_seconds()) + 1, why=_maybe(lost + 1))
        lost += 1
        if lost >= settings.order_attempts:
            return refused(state, Refused(_maybe(lost)))
    # Before the intent: a token that cannot be read is no order whose answer was lost.
    not_ready = client.ready()
    if not_ready is not None:
        return refused(state, not_ready)
    intent_at = now.isoformat(timespec="microseconds")
    if not ledger.write_intent(run, intent_at, lost, before):
        return unknown(settings.order_grace_seconds, why=_maybe(lost + 1))
    answer = client.order(state.export, asked)
    match answer:
        case Ordered(batch_id):
            placed = Order(intent_at, lost, batch_id, intent_at)
            ledger.write_order(run, placed, asked.value)
            return _ordered(state, placed, settings)
        case Lost(reason):
            return unknown(settings.order_grace_seconds, why=f"{reason} {_maybe(lost + 1)}")
    # Anything else says that nothing was ordered.
    ledger.withdraw_intent(run, lost)
    not_ordered = partial(waiting, "rate_limited", unmet="Nothing was ordered")
    earlier = f" {_maybe(lost)}" if lost else ""
    match answer:
        case RateLimited(seconds):
            return not_ordered(seconds, why=f"Symplify answered 'too many requests' (429) until then.{earlier}")
        case Unavailable(reason):
            return not_ordered(settings.poll_max_seconds, why=f"{reason}{earlier}")
    return refused(state, answer)


def _maybe(lost: int) -> str:
    if lost == 1:
        return "The answer to an order was lost, so a batch may be waiting in Symplify that nobody will fetch."
    return f"The answers to {lost} orders were lost, so up to {lost} batches may be waiting in Symplify."


def _ordered(state: RunState, placed: Order, settings: Settings) -> RunState:
    return replace(
        state,
        outcome="ordered",
        batch_id=placed.batch_id,
        ordered_at=placed.ordered_at,
        wait_seconds=settings.poll_first_seconds,
        reason=None,
    )
