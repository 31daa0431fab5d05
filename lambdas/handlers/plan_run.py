"""plan_run: claim, lease, period, left-over batch."""

from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.steps.plan_run import plan_run

if TYPE_CHECKING:
    from types_boto3_stepfunctions import SFNClient


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Plan the run."""
    return run_step("plan_run", event, _plan)


def _plan(state: RunState, run: Execution) -> RunState:
    return plan_run(state, run, clients.ledger(state.export), clients.settings(), _stopped_at, datetime.now(UTC))


def _stopped_at(arn: str) -> datetime | None:
    """When an execution ended; an execution that Step Functions has forgotten (after 90 days) ended long ago."""
    step_functions = _step_functions()
    try:
        execution = step_functions.describe_execution(executionArn=arn)
    except step_functions.exceptions.ExecutionDoesNotExist:
        return datetime.fromtimestamp(0, UTC)
    # One that waits for its redrive will go on.
    return None if execution["status"] in ("RUNNING", "PENDING_REDRIVE") else execution["stopDate"]


@cache
def _step_functions() -> "SFNClient":
    """Made when it is first used: a lease is seldom found taken."""
    return boto3.client("stepfunctions")
