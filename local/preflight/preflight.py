"""Checks before a deployment: everything that can be asked of an account without changing anything."""

import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import boto3
import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from infra.settings import EXAMPLE_CUSTOMER, BadSetting, Settings, from_context
from lambdas.symplify.client import Client
from lambdas.symplify.token import is_usable, token_source
from local import doctor
from local.checks import Check, asked, is_denied, unknown
from local.preflight import account, catalog, names
from local.preflight.target import QUALIFIER, Target
from local.stacks import clients
from local.standin.options import TOKEN_VARIABLE

_QUALIFIER_NAME = "@aws-cdk/core:bootstrapQualifier"
_CDK_JSON = Path(__file__).parents[2] / "cdk.json"


def preflight(session: boto3.Session, changes: Mapping[str, str], token: str) -> Iterator[Check]:
    """Run all checks, in an order in which the first failure explains the following ones.

    `changes` are settings in place of those of `cdk.json`, `token` is Symplify's, or empty.
    """
    context: Mapping[str, Any] = json.loads(_CDK_JSON.read_text())["context"] | changes
    settings = _settings(context)
    yield settings if isinstance(settings, Check) else _described(settings)
    region = _region(session)
    yield region
    if not region.is_well:
        return
    identity = _identity(session)
    yield identity if isinstance(identity, Check) else Check("credentials", True, identity["Arn"])
    if isinstance(settings, Check) or isinstance(identity, Check):
        return
    target = Target(
        settings=settings,
        client=clients(session),
        account=identity["Account"],
        region=session.region_name or "",
        partition=identity["Arn"].split(":")[1],
        token=token,
        qualifier=context.get(_QUALIFIER_NAME, QUALIFIER),
    )
    yield from examine(target)


def examine(target: Target) -> Iterator[Check]:
    """The checks of an account that the credentials open."""
    for name, check in CHECKS.items():
        yield asked(name, partial(_allowed, name, check, target))


def _allowed(name: str, check: Callable[[Target], Check], target: Target) -> Check:
    try:
        return check(target)
    except ClientError as error:
        if is_denied(error):
            return unknown(name, f"You may not ask: {error.response['Error'].get('Message') or error}")
        raise


def _settings(context: Mapping[str, Any]) -> Settings | Check:
    try:
        return from_context(context)
    except BadSetting as problem:
        return Check("settings", False, str(problem))


def _described(settings: Settings) -> Check:
    if settings.customer_id == EXAMPLE_CUSTOMER:
        words = "customerId is still the example: set it, and baseUrl, in cdk.json."
        return Check("settings", False, words)
    mails = "" if settings.alert_emails else "; alertEmails is empty, so nobody will be mailed about failures"
    return Check("settings", True, f"{settings.stack_name}, for customer {settings.customer_id}{mails}")


def _region(session: boto3.Session) -> Check:
    if not session.region_name:
        return Check("region", False, "No region is chosen: set AWS_REGION, or a region in your profile.")
    return Check("region", True, session.region_name)


def _identity(session: boto3.Session) -> Mapping[str, Any] | Check:
    """The caller as STS names it, asked in the region itself, which must be there and switched on for that."""
    name, region = "credentials", session.region_name
    try:
        found: Mapping[str, Any] = session.client("sts").get_caller_identity()
    except ClientError as error:
        words = f"{error}. Sign in again; a region that the account has to switch on first refuses as well ({region})."
        return Check(name, False, words)
    except BotoCoreError as error:
        words = f"{error}. Sign in (aws configure, or aws sso login), and look whether {region} is a region of AWS."
        return Check(name, False, words)
    return found


def _symplify(target: Target) -> Check:
    """One cheap call with the caller's token, or with that of a secret that exists already."""
    name, settings = "symplify", target.settings
    read: Callable[[], str]
    if target.token:
        if not is_usable(target.token):
            return Check(name, False, f"{TOKEN_VARIABLE} holds blanks or other characters that no token has.")
        read = partial(str, target.token)
    elif settings.token_secret_arn:
        read = token_source(target.client("secretsmanager"), settings.token_secret_arn)
    else:
        return unknown(name, f"Not asked: put the token into the environment variable {TOKEN_VARIABLE} to try it.")
    return doctor.symplify(Client(urllib3.PoolManager(), settings.base_url, settings.customer_id, read))


CHECKS: Mapping[str, Callable[[Target], Check]] = {
    "bootstrap": account.bootstrap,
    "stack": names.stack,
    "names": names.names,
    "quotas": account.quotas,
    "lake formation": catalog.lake_formation,
    "catalog key": catalog.catalog_key,
    "permissions": account.permissions,
    "symplify": _symplify,
}
