"""Executions of the state machine that have ended, as Step Functions reports them."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from lambdas.execution import EndedExecution, Execution
from lambdas.handlers import clients

if TYPE_CHECKING:
    from types_boto3_stepfunctions.literals import ExecutionStatusType

# The ends that close_run may have missed; a success has always been closed.
_UNSUCCESSFUL: "tuple[ExecutionStatusType, ...]" = ("FAILED", "ABORTED", "TIMED_OUT")


def running() -> int:
    """How many executions run; one that has started or ended this second may be counted wrongly."""
    pages = (
        clients.step_functions()
        .get_paginator("list_executions")
        .paginate(stateMachineArn=clients.settings().state_machine_arn, statusFilter="RUNNING")
    )
    return sum(len(page["executions"]) for page in pages)


def stopped_at(arn: str) -> datetime | None:
    """When an execution ended, None while it runs; one that Step Functions forgot (after 90 days) ended long ago."""
    step_functions = clients.step_functions()
    try:
        execution = step_functions.describe_execution(executionArn=arn)
    except step_functions.exceptions.ExecutionDoesNotExist:
        return datetime.fromtimestamp(0, UTC)
    # One that is pending its redrive will run again.
    return None if execution["status"] in ("RUNNING", "PENDING_REDRIVE") else execution["stopDate"]


def ended(arn: str) -> EndedExecution:
    """An execution that has ended."""
    execution = clients.step_functions().describe_execution(executionArn=arn)
    return EndedExecution(
        arn=arn,
        started_at=execution["startDate"].astimezone(UTC),
        status=execution["status"],
        stopped_at=execution["stopDate"].astimezone(UTC),
        given=json.loads(execution.get("input", "null")),
    )


def unsuccessful(since: datetime, recorded: set[str]) -> Iterator[EndedExecution]:
    """The executions since then that ended without success, except those whose ARNs are recorded."""
    paginator = clients.step_functions().get_paginator("list_executions")
    for status in _UNSUCCESSFUL:
        pages = paginator.paginate(stateMachineArn=clients.settings().state_machine_arn, statusFilter=status)
        for found in (execution for page in pages for execution in page["executions"]):
            execution = Execution(found["executionArn"], found["startDate"].astimezone(UTC))
            if execution.started_at >= since and execution.arn not in recorded:
                yield ended(execution.arn)
