"""A vendor that takes orders, and the step that orders."""

from datetime import datetime, timedelta
from typing import Any

from lambdas.execution import RunState
from lambdas.ledger.ledger import Ledger
from lambdas.outcome import Outcome
from lambdas.steps.start_export import start_export
from lambdas.symplify.answers import Lost
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import NOW, make_run, make_settings

OPENS = EXPORT_TYPES["OPENS"]
RUN = make_run()
PLANNED = RunState(export_type="OPENS", period="LAST_3_DAYS", outcome=Outcome.PLANNED)
GRACE = timedelta(seconds=900)
LOST = Lost("Symplify answered the order with status 500.")


class Vendor:
    """Takes orders; an answer is a value to return, or an exception to raise after the order was taken."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.orders: list[tuple[str, str]] = []
        self.token: Any = None

    def ready(self) -> Any:
        if isinstance(self.token, Exception):
            raise self.token
        return self.token

    def order(self, export: Any, period: Any) -> Any:
        self.orders.append((export.name, period.value))
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


def step(ledger: Any, vendor: Vendor, now: datetime = NOW, state: RunState = PLANNED, **settings: Any) -> RunState:
    client: Any = vendor
    return start_export(state, RUN, ledger=ledger, client=client, settings=make_settings(**settings), now=now)


def batches(ledger: Ledger) -> list[tuple[str, str, str]]:
    return [(batch.batch_id, batch.owner, batch.period) for batch in ledger.unloaded_batches()]
