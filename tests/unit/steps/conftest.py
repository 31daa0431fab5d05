"""Fixtures of several steps."""

from typing import Any

import pytest

from lambdas.ledger.ledger import Ledger
from lambdas.steps import close_run as module
from tests.unit.steps.closing import OpenRun


@pytest.fixture
def opened(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> OpenRun:
    made = OpenRun(ledger)

    def write(store: Any, catalog: Any, folder: str, record: Any) -> None:
        assert folder == record["run"]
        made.records.append(dict(record))

    def vacuum(*args: Any, **named: Any) -> int:
        made.vacuumed += 1
        return 0

    monkeypatch.setattr(module, "write_run_record", write)
    monkeypatch.setattr(module, "vacuum", vacuum)
    return made
