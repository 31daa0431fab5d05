"""A stack in an AWS account, with the caller's own credentials, or that of the local cloud, in the same form."""

import json
import os
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local import athena
from local.checks import ClientFactory
from local.doctor import Stack
from local.lifecycle import Running
from local.problem import Problem

_PAUSE_SECONDS = 5.0


@dataclass(frozen=True)
class Deployed:
    """A stack, and the clients to reach it."""

    stack: Stack
    client: ClientFactory

    def query(self, sql: str) -> athena.Rows:
        """Query Athena in the stack's workgroup."""
        outputs = self.stack.outputs
        return athena.ask(self.client("athena"), outputs["WorkGroup"], outputs["Database"], sql)


def session(profile: str | None = None) -> boto3.Session:
    """A session with the caller's credentials and region, chosen as CDK and the AWS CLI do.

    Raises:
        Problem: there is no such profile.
    """
    try:
        # boto3 alone does not read AWS_REGION.
        return boto3.Session(profile_name=profile, region_name=os.environ.get("AWS_REGION"))
    except BotoCoreError as error:
        raise Problem(str(error)) from None


def in_account(name: str) -> Deployed:
    """The stack of that name in the caller's account and region.

    Raises:
        Problem: there are no credentials, or no such stack.
    """
    chosen = session()

    def client(service: str) -> Any:
        return chosen.client(service)  # type: ignore[call-overload]

    try:
        (found,) = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except (ClientError, BotoCoreError) as error:
        raise Problem(f"The stack {name} could not be looked up: {error}") from None
    return Deployed(Stack(name, {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}), client)


def in_local_cloud(running: Running) -> Deployed:
    """The stack of the local cloud."""
    client = running.cloud.client
    (found,) = client("cloudformation").describe_stacks(StackName=running.deployment.stack)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    return Deployed(Stack(running.deployment.stack, outputs, is_local=True), client)


def run_one(deployed: Deployed, given: dict[str, str]) -> str | None:
    """Start an execution and wait until it ends; return why it failed, or None."""
    states = deployed.client("stepfunctions")
    started = states.start_execution(
        stateMachineArn=deployed.stack.outputs["StateMachineArn"],
        name=f"smoke-{datetime.now(UTC):%Y%m%dT%H%M%S}",
        input=json.dumps(given),
    )
    while (found := states.describe_execution(executionArn=started["executionArn"]))["status"] == "RUNNING":
        time.sleep(0.5 if deployed.stack.is_local else _PAUSE_SECONDS)
    return None if found["status"] == "SUCCEEDED" else str(found.get("cause") or found["status"])
