"""Nights whose exports are ordered, landed and loaded with no setting, so that the records alone decide the profile."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from lambdas.execution import RunState
from lambdas.lake.profile.profile import Profile
from lambdas.ledger.orders import Order
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import Age, InProcessLake, Record, array

BY_EVIDENCE: dict[str, Any] = {"event_time": {}, "unknown_time_ratio": 0.01}


def night(number: int) -> Age:
    return f"2026-11-{20 + number}T03:30:00.000000+00:00", f"night-{number}"


def event(number: int, minutes: int, **more: Any) -> dict[str, Any]:
    """An event on the morning before the first night, so that every night's window has it."""
    moment = datetime(2026, 11, 20, 8, tzinfo=UTC) + timedelta(minutes=minutes)
    return {"contactId": f"k{number}", "messageId": 7, "openTime": moment.isoformat(), **more}


def seen(number: int, night: int) -> dict[str, Any]:
    """An open with two times of unknown names, of which the first is another one in each export."""
    at = event(number % 50, number)["openTime"]
    moved = datetime.fromisoformat(at) + timedelta(seconds=night * (431 + 7 * number))
    return {"contactId": f"k{number % 50}", "messageId": 7, "sedd": moved.isoformat(), "oppnat": at}


def load(
    lake: InProcessLake, records: Iterable[Record], number: int, export: str = "OPENS", **changed: Any
) -> RunState:
    """Order, land and load a night's export."""
    at, kind = night(number), EXPORT_TYPES[export]
    order = Order(at[0], 0, at[1], at[0])
    lake.ledger(kind).write_order(lake.execution(), order, "LAST_3_DAYS")
    return lake.load(array(records), export, at, period="LAST_3_DAYS", **{**BY_EVIDENCE, **changed})


def waiting(lake: InProcessLake) -> list[str]:
    return [batch.batch_id for batch in lake.ledger(EXPORT_TYPES["OPENS"]).undecided_batches()]


def profile(lake: InProcessLake, export: str = "OPENS") -> Profile:
    table = lake.catalog.table(EXPORT_TYPES[export])
    assert table is not None
    return table.profile
