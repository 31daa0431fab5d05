"""Running a state machine and looking at what it did."""

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
class Ended:
    """An execution that is over."""

    arn: str
    status: str
    error: str | None
    cause: str | None
    output: Mapping[str, Any] | None
    visited: tuple[str, ...]
    """The states it entered, in order."""


def run(cloud: Cloud, machine_arn: str, given: Mapping[str, Any]) -> Ended:
    """Start an execution and wait for its end."""
    states = cloud.client("stepfunctions")
    arn = states.start_execution(stateMachineArn=machine_arn, input=json.dumps(given))["executionArn"]
    return wait(cloud, arn)


def wait(cloud: Cloud, arn: str) -> Ended:
    """Wait for the end of an execution."""
    states = cloud.client("stepfunctions")

    def look() -> Any:
        execution = states.describe_execution(executionArn=arn)
        return None if execution["status"] == "RUNNING" else execution

    execution = until(look, f"{arn} does not end", _LIMIT_SECONDS)
    pages = states.get_paginator("get_execution_history").paginate(executionArn=arn)
    events = [event for page in pages for event in page["events"]]
    return Ended(
        arn,
        execution["status"],
        execution.get("error"),
        execution.get("cause"),
        json.loads(execution["output"]) if execution.get("output") else None,
        tuple(event["stateEnteredEventDetails"]["name"] for event in events if "stateEnteredEventDetails" in event),
    )


def start_anew(running: Running, function: str) -> None:
    """Make a function's next call a cold start, as an update of its configuration does; it keeps the token."""
    functions = running.cloud.client("lambda")
    name = f"{running.deployment.stack}-{function}"
    seconds = functions.get_function_configuration(FunctionName=name)["Timeout"]
    functions.update_function_configuration(FunctionName=name, Timeout=seconds)


@contextmanager
def token(running: Running, value: str) -> Iterator[None]:
    """Have another token in the secret for a while."""
    secrets = running.cloud.client("secretsmanager")
    arn = running.deployment.token_secret_arn
    before = secrets.get_secret_value(SecretId=arn)["SecretString"]
    secrets.put_secret_value(SecretId=arn, SecretString=value)
    for function in ("start-export", "check-batch", "copy-result"):
        start_anew(running, function)
    try:
        yield
    finally:
        secrets.put_secret_value(SecretId=arn, SecretString=before)
