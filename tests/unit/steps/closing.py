"""A run that is about to be closed."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

from lambdas.execution import RunState
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.outcome import Outcome
from lambdas.steps.close_run import CloseDependencies, close_run
from lambdas.vocabulary import ExportType
from tests.unit.fakes import NOW, make_run, make_settings

RUN = make_run()
TIME = "2026-11-24T03:30:00Z"
LOADED_STATE = RunState(
    export_type="OPENS",
    scheduled_time=TIME,
    period="LAST_3_DAYS",
    outcome=Outcome.LOADED,
    batch_id="7",
    ordered_at=NOW.isoformat(timespec="microseconds"),
    bytes=120,
    rows=5,
    tally={
        "read": 5,
        "new": 3,
        "known": 1,
        "updated": 1,
        "rescued": 0,
        "quarantined": 0,
        "unknownTime": 0,
        "earliest": "2026-11-22 01:00:00",
        "latest": None,
        "newColumns": ["a", "b"],
        "dayCount": 1,
        "days": {"2026-11-23": {"read": 5, "new": 3, "updated": 1}},
    },
)
CRASHED = {"Error": "Broken", "Cause": json.dumps({"errorMessage": "The transfer broke.", "stackTrace": ["line 1"]})}


class OpenRun:
    """A run with a claim and the lease, and what closing it does besides the ledger."""

    def __init__(self, ledger: Ledger) -> None:
        self.ledger = ledger
        self.records: list[dict[str, Any]] = []
        self.vacuumed = 0
        store: Any = None
        catalog: Any = None
        landing: Any = self
        self.aborted: list[str] = []
        self.dependencies = CloseDependencies(ledger, store, catalog, landing)
        ledger.claim(TIME, RUN, NOW)
        ledger.take_lease(RUN, NOW)

    def abort_all(self, export: ExportType) -> None:
        self.aborted.append(export.name)

    def order(self, status: str | None = None) -> None:
        ordered_at = NOW.isoformat(timespec="microseconds")
        self.ledger.write_order(RUN, Order(ordered_at, 0, "7", ordered_at), "LAST_3_DAYS")
        if status:
            self.ledger.mark_batch("7", status)

    def close(self, state: RunState, ledger: Any = None, **settings: Any) -> RunState:
        dependencies = replace(self.dependencies, ledger=ledger or self.ledger)
        return close_run(state, RUN, dependencies, settings=make_settings(**settings), now=NOW + timedelta(hours=1))

    @property
    def unloaded(self) -> list[str]:
        return [batch.batch_id for batch in self.ledger.unloaded_batches()]

    @property
    def may_start_again(self) -> bool:
        """Whether another execution gets the same scheduled time."""
        return self.ledger.claim(TIME, make_run("run-b"), NOW)
