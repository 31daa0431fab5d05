"""When an execution has ended."""

from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.handlers import (
    clients,
    executions,
)


class StepFunctions:
    """Step Functions, knowing one execution or none."""

    class exceptions:  # noqa: N801 - boto3's own name
        """The client's exceptions."""

        class ExecutionDoesNotExist(Exception):
            """Step Functions has forgotten it."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer

    def describe_execution(self, executionArn: str) -> Any:  # noqa: N803 - boto3's own name
        """Describe it."""
        if self._answer is None:
            raise self.exceptions.ExecutionDoesNotExist
        return self._answer


END = datetime(2026, 11, 23, tzinfo=UTC)


@pytest.mark.parametrize(
    ("answer", "ended"),
    [
        ({"status": "RUNNING"}, None),
        ({"status": "PENDING_REDRIVE", "stopDate": END}, None),
        ({"status": "SUCCEEDED", "stopDate": END}, END),
        ({"status": "ABORTED", "stopDate": END}, END),
        ({"status": "TIMED_OUT", "stopDate": END}, END),
        (None, datetime(1970, 1, 1, tzinfo=UTC)),
    ],
)
def test_an_execution_has_ended_when_step_functions_reports_it_or_has_forgotten_it(
    monkeypatch: pytest.MonkeyPatch, answer: Any, ended: datetime | None
) -> None:
    monkeypatch.setattr(clients, "step_functions", lambda: StepFunctions(answer))

    assert executions.stopped_at("arn:x") == ended
