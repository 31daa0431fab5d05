"""Helpers that run the state machine and read its history."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from local.cloud import Cloud
from local.lifecycle import Running
from tests.workflow.waiting import until

_LIMIT_SECONDS = 600


@dataclass(frozen=True)
class ExecutionResult:
    """A finished execution."""

    arn: str
    status: str
    error: str | None
    cause: str | None
    output: Mapping[str, Any] | None
    visited: tuple[str, ...]
    """The entered states, in order."""


def run(cloud: Cloud, machine_arn: str, given: Mapping[str, Any]) -> ExecutionResult:
    """Start an execution and wait for it to end."""
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine_arn, input=json.dumps(given))["executionArn"]
    return wait(cloud, arn)


def wait(cloud: Cloud, arn: str) -> ExecutionResult:
    """Wait for an execution to end."""
    states = cloud.client("stepfunctions")

    def look() -> Any:
        execution = states.describe_execution(executionArn=arn)
        return None if execution["status"] == "RUNNING" else execution

    execution = until(look, f"{arn} has not ended", _LIMIT_SECONDS)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    return ExecutionResult(
        arn,
        execution["status"],
        execution.get("error"),
        execution.get("cause"),
        json.loads(execution["output"]) if execution.get("output") else None,
        tuple(event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event),
    )


def force_cold_start(running: Running, function: str) -> None:
    """Force a cold start by updating the configuration: a warm function caches the token."""
    functions = running.cloud.client("lambda")
    name = f"{running.deployment.stack}-{function}"
    seconds = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=seconds)


@contextmanager
def token(running: Running, value: str) -> Iterator[None]:
    """Replace the token in the secret temporarily."""
    secrets = running.cloud.client("secretsmanager")
    arn = running.deployment.token_secret_arn
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    secrets.put_secret_value(SecretId=arn, SecretString=value)
    for function in ("start-export", "check-batch", "copy-result"):
        force_cold_start(running, function)
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=before)
