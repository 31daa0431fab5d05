"""copy_result: stream the result into raw/."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from lambdas.handlers import tools
from lambdas.handlers.edge import run_step
from lambdas.lake.landing import Landing
from lambdas.run import Execution, RunState
from lambdas.steps.copy import Source, copy
from lambdas.steps.transfer import Remaining

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_s3 = tools.s3_for_parts()


def handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """Copy the result, or as much of it as the time allows."""

    def remaining() -> float:
        return context.get_remaining_time_in_millis() / 1000

    return run_step("copy_result", event, lambda state, run: _copy(state, run, remaining))


def _copy(state: RunState, run: Execution, remaining: Remaining) -> RunState:
    settings = tools.settings()
    return copy(
        state,
        run,
        tools.ledger(state.export),
        Source(tools.client(), tools.http()),
        Landing(_s3, settings.bucket),
        settings,
        remaining,
        datetime.now(UTC),
    )
