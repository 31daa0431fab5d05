"""copy_result: stream the result into raw/."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.lake.storage.landing import Landing
from lambdas.steps.copy_result import Source, copy_result
from lambdas.steps.multipart_copy import Remaining

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_s3 = clients.s3_for_parts()


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Copy the result, or as much of it as the time allows."""

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return run_step("copy_result", event, lambda state, run: _copy(state, run, remaining))


def _copy(state: RunState, run: Execution, remaining: Remaining) -> RunState:
    settings = clients.settings()
    return copy_result(
        state,
        run,
        clients.ledger(state.export),
        Source(clients.client(), clients.http()),
        Landing(_s3, settings.bucket),
        settings,
        remaining,
        datetime.now(UTC),
    )
