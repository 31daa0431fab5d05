"""Planning a run, after what earlier runs left in the ledger."""

from datetime import datetime, timedelta
from typing import Any

from lambdas.execution import RunState
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.steps.plan_run import plan_run
from tests.unit.fakes import NOW, ago, make_run, make_settings

RUN, OTHER = make_run("run-a"), make_run("run-b", ago(days=1))
INPUT = RunState(export_type="OPENS")
LONG_AGO = ago(days=300)
SUNDAY = NOW + timedelta(days=5)


def never(arn: str) -> datetime | None:
    raise AssertionError("The lease was free, so no execution had to be looked up.")


def planned(
    ledger: Any,
    state: RunState = INPUT,
    stopped_at: Any = never,
    now: datetime = NOW,
    run: Any = RUN,
    **settings: Any,
) -> RunState:
    return plan_run(state, run, ledger=ledger, settings=make_settings(**settings), stopped_at=stopped_at, now=now)


def loaded_until(ledger: Ledger, moment: datetime) -> None:
    ledger.move_watermark(moment.isoformat(timespec="microseconds"), "1")


def leave(ledger: Ledger, batch_id: str, at: datetime, period: str = "LAST_3_DAYS", status: str | None = None) -> None:
    ordered_at = at.isoformat(timespec="microseconds")
    ledger.write_order(OTHER, Order(ordered_at, 0, batch_id, ordered_at), period)
    if status:
        ledger.mark_batch(batch_id, status)
