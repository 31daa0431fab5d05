"""A stack in an AWS account, with the caller's own credentials, or that of the local cloud, in the same form."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from local import athena
from local.checks import ClientFactory
from local.cloud import REGION
from local.doctor import Stack
from local.lifecycle import Running
from local.problem import Problem
from local.views import expanded, stored_views


@dataclass(frozen=True)
class Deployed:
    """A stack, and the clients to reach it."""

    stack: Stack
    client: ClientFactory
    client_as: Callable[[Mapping[str, Any]], ClientFactory]
    """Makes clients with the credentials that STS has given for a role."""

    def query(self, sql: str, athena_client: Any = None) -> athena.Rows:
        """Query Athena in the stack's workgroup, with another client than the caller's own if one is given.

        The embedded Athena cannot read views, so a query that reads some is expanded.

        Raises:
            Problem: Athena refused or failed the query.
        """
        outputs = self.stack.outputs
        if self.stack.is_local:
            sql = expanded(sql, stored_views(self.client("glue"), outputs["Database"]))
        return athena.ask(athena_client or self.client("athena"), outputs["WorkGroup"], outputs["Database"], sql)


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


def clients(chosen: boto3.Session, places: Mapping[str, str] = MappingProxyType({})) -> ClientFactory:
    """Makes clients of a session; `places` are options of all of them."""
    # boto3's types know each service by its literal name alone.
    make: Callable[..., Any] = chosen.client
    return lambda service: make(service, **places)


def in_account(name: str) -> Deployed:
    """The stack of that name in the caller's account and region.

    Raises:
        Problem: there are no credentials, or no such stack.
    """
    chosen = session()
    client = clients(chosen)
    try:
        (found,) = client("cloudformation").describe_stacks(StackName=name)["Stacks"]
    except (ClientError, BotoCoreError) as error:
        raise Problem(f"The stack {name} could not be looked up: {error}") from None
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found.get("Outputs", [])}
    return Deployed(Stack(name, outputs), client, partial(_as_role, chosen.region_name, {}))


def in_local_cloud(running: Running) -> Deployed:
    """The stack of the local cloud."""
    client = running.cloud.client
    (found,) = client("cloudformation").describe_stacks(StackName=running.deployment.stack)["Stacks"]
    outputs = {one["OutputKey"]: one["OutputValue"] for one in found["Outputs"]}
    places = {"endpoint_url": running.cloud.endpoint, "verify": running.cloud.ca_bundle}
    return Deployed(Stack(running.deployment.stack, outputs, is_local=True), client, partial(_as_role, REGION, places))


def _as_role(region: str | None, places: Mapping[str, str], credentials: Mapping[str, Any]) -> ClientFactory:
    chosen = boto3.Session(
        aws_access_key_id=credentials["AccessKeyId"],
        aws_secret_access_key=credentials["SecretAccessKey"],
        aws_session_token=credentials["SessionToken"],
        region_name=region,
    )
    return clients(chosen, places)
