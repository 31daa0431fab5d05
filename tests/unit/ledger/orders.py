"""Three runs, and helpers for their orders and batches in the ledger."""

from datetime import datetime
from typing import Any

from lambdas.execution import Execution
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from tests.unit.fakes import NOW, make_run

A, B, C = make_run("run-a"), make_run("run-b"), make_run("run-c")


def place(ledger: Ledger, batch_id: str, run: Execution = A, at: datetime = NOW, period: str = "LAST_3_DAYS") -> str:
    ordered_at = at.isoformat(timespec="microseconds")
    ledger.write_order(run, Order(ordered_at, 0, batch_id, ordered_at), period)
    return batch_id


def statuses(table: Any) -> dict[str, str]:
    return {item["sk"]: item["status"] for item in table.scan()["Items"] if item["sk"].startswith("batch#")}


def unloaded(ledger: Ledger) -> list[str]:
    return [batch.batch_id for batch in ledger.unloaded_batches()]
