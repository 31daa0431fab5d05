"""Health checks of a deployed stack: each is a line with a tick, or with what to do.

They use the caller's own credentials, on the embedded cloud or on AWS, and change nothing but a query's result in
Athena's result folder.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import urllib3
from botocore.exceptions import BotoCoreError, ClientError

from lambdas.lake.sql import name as quoted
from lambdas.symplify.answers import RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.symplify.token import TokenNotSet, token_source
from lambdas.vocabulary import EXPORT_TYPES
from local import lake_formation
from local.checks import Check, ClientFactory, asked
from local.problem import Problem
from local.views import stored_views

Query = Callable[[str], list[dict[str, Any]]]
"""Queries Athena, and raises `Problem` with its reason."""

# AWS refuses signatures that are five minutes off.
_CLOCK = timedelta(minutes=2)


@dataclass(frozen=True)
class Stack:
    """A deployed stack, by its name and outputs."""

    name: str
    outputs: Mapping[str, str]
    is_local: bool = False
    """Whether it is on the embedded cloud, where nobody reads mail."""


def examine(stack: Stack, client: ClientFactory, query: Query) -> Iterator[Check]:
    """Run all checks, in an order in which the first failure explains the following ones."""
    for name, check in _CHECKS.items():
        yield asked(name, partial(check, stack, client, query))


def _settings(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    variables = _environment(stack, client)
    if variables["CUSTOMER_ID"] == "123456":
        return Check("settings", False, "customerId is still the example: set it in cdk.json and deploy again.")
    host = urlsplit(variables["BASE_URL"]).hostname
    return Check("settings", True, f"customer {variables['CUSTOMER_ID']} at {host}")


def _token(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    try:
        token_source(client("secretsmanager"), stack.outputs["TokenSecretArn"])()
    except TokenNotSet as error:
        return Check("secret", False, str(error))
    return Check("secret", True, "it holds a token")


def _symplify(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    variables = _environment(stack, client)
    read = token_source(client("secretsmanager"), stack.outputs["TokenSecretArn"])
    return symplify(Client(urllib3.PoolManager(), variables["BASE_URL"], variables["CUSTOMER_ID"], read))


def symplify(client: Client) -> Check:
    """Ask Symplify for the account's addresses, which proves address, customer id and token."""
    answer = client.account()
    if isinstance(answer, RateLimited):
        return Check("symplify", True, f"it answers, and asks to wait {answer.wait_seconds} s")
    if isinstance(answer, Refused | Unavailable):
        return Check("symplify", False, answer.reason)
    return Check("symplify", True, "it takes the token")


def _rules(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    pages = client("events").get_paginator("list_rules").paginate(NamePrefix=f"{stack.name}-")
    states = {rule["Name"].removeprefix(f"{stack.name}-"): rule["State"] for page in pages for rule in page["Rules"]}
    wanted = [export.table.replace("_", "-") for export in EXPORT_TYPES.values()]
    watched = _environment(stack, client)["WATCHED_EXPORTS"].split(",")
    missing = [name for name in [*wanted, "watch", "stopped", "deployed"] if name not in states]
    differs = [
        name
        for name in wanted
        if name in states and (states[name] == "ENABLED") != (name.replace("-", "_").upper() in watched)
    ]
    if missing or differs:
        return Check("rules", False, f"Deploy again: {', '.join(missing + differs)} differ from the settings.")
    off = [name for name in wanted if states[name] != "ENABLED"]
    return Check("rules", True, "all are on" if not off else f"switched off by the settings: {', '.join(off)}")


def _subscriptions(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    found = client("sns").list_subscriptions_by_topic(TopicArn=stack.outputs["AlertTopicArn"])["Subscriptions"]
    waiting = [one["Endpoint"] for one in found if not one["SubscriptionArn"].startswith("arn:")]
    if waiting:
        return Check("subscriptions", False, f"Confirm the mail that AWS has sent to {', '.join(waiting)}.")
    if not found:
        if stack.is_local:
            return Check("subscriptions", True, "none: nobody reads the mail of a local cloud")
        return Check("subscriptions", False, "Nobody is notified of failures: set alertEmails and deploy again.")
    return Check("subscriptions", True, f"{len(found)} confirmed")


def _lake_formation(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    database = client("glue").get_database(Name=stack.outputs["Database"])["Database"]
    open_to_all = [
        one
        for one in database.get("CreateTableDefaultPermissions", [])
        if one.get("Principal", {}).get("DataLakePrincipalIdentifier") == "IAM_ALLOWED_PRINCIPALS"
    ]
    if open_to_all or stack.is_local:
        return Check("lake formation", True, "IAM alone decides")
    try:
        settings = client("lakeformation").get_data_lake_settings()["DataLakeSettings"]
    except (ClientError, BotoCoreError) as error:
        return Check(
            "lake formation",
            False,
            f"The database lets in nobody by IAM alone, and you may not ask Lake Formation about it ({error}). Ask its "
            "administrator to run the doctor.",
        )
    if settings.get("CreateTableDefaultPermissions"):
        return Check("lake formation", True, "IAM alone decides")
    return _grants(stack, client)


def _grants(stack: Stack, client: ClientFactory) -> Check:
    """Under Lake Formation: what the functions' roles lack, or who else may read."""
    name, database, roles = "lake formation", stack.outputs["Database"], _writers(stack, client)
    try:
        commands = lake_formation.missing_grants(client("lakeformation"), database, roles)
        if commands:
            words = "It guards new tables. Run, as its administrator: " + " ; ".join(commands)
            return Check(name, False, words)
        tables = _table_parameters(stack, client)
        readers = lake_formation.readers(client("lakeformation"), database, list(tables), roles)
    except (ClientError, BotoCoreError) as error:
        words = f"It guards new tables, and you may not ask it who may what ({error}). Ask its administrator."
        return Check(name, False, words)
    return Check(name, True, f"It guards new tables, and the functions have what they need. {readers}")


def _catalog_key(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    key = None if stack.is_local else lake_formation.catalog_key(client("glue"))
    if key is None:
        return Check("catalog key", True, "the Data Catalog asks for no key of its own")
    analysts = f"Analysts need kms:Decrypt on {key}, with which this account encrypts its Data Catalog."
    if "export_runs" in _table_parameters(stack, client):
        return Check("catalog key", True, analysts)
    commands = lake_formation.key_grants(key, _writers(stack, client))
    return Check("catalog key", False, f"{analysts} So do the functions, which have made no table yet: {commands}")


def _writers(stack: Stack, client: ClientFactory) -> list[str]:
    return [_function(stack, client, name)["Role"] for name in ("load-result", "close-run", "watch-runs")]


def _workgroup(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    found = client("athena").get_work_group(WorkGroup=stack.outputs["WorkGroup"])["WorkGroup"]
    if found.get("State", "ENABLED") != "ENABLED":
        return Check("workgroup", False, f"Switch the Athena workgroup {stack.outputs['WorkGroup']} on.")
    return Check("workgroup", True, stack.outputs["WorkGroup"])


def _tables(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    tables = _table_parameters(stack, client)
    if "export_runs" not in tables:
        return Check("tables", False, "No run has ended yet. Start one as README.md describes, then check again.")
    zone = _environment(stack, client)["TIME_ZONE"]
    others = {name: facts["time_zone"] for name, facts in tables.items() if facts.get("time_zone", zone) != zone}
    if others:
        said = ", ".join(f"{name} ({other})" for name, other in others.items())
        return Check(
            "tables",
            False,
            f"The setting timeZone says {zone}, and the days of {said} are others, so they take no more rows. Set it "
            "back, or rebuild them as docs/replay.md describes.",
        )
    profiles = [f"{name}: {_profile(facts)}" for name, facts in sorted(tables.items()) if "profile" in facts]
    blocked = [f"{name}: {why}" for name, facts in tables.items() if (why := _blocked(facts))]
    if blocked:
        return Check("tables", False, " ".join(blocked))
    return Check("tables", True, "; ".join([f"{len(tables)}, whose days are those of {zone}", *profiles]))


def _table_parameters(stack: Stack, client: ClientFactory) -> Mapping[str, Mapping[str, str]]:
    pages = client("glue").get_paginator("get_tables").paginate(DatabaseName=stack.outputs["Database"])
    return {table["Name"]: table.get("Parameters", {}) for page in pages for table in page["TableList"]}


def _profile(facts: Mapping[str, str]) -> str:
    """What a table takes its fields for."""
    found = json.loads(facts["profile"])
    times = " or ".join(f"{one['field']} ({one['format']})" for one in found["eventTime"])
    known_by = " with ".join(found["identity"]) or "all fields"
    return f"{f'time {times}, ' if times else ''}identified by {known_by}, {found['state']}"


def _blocked(facts: Mapping[str, str]) -> str | None:
    """Why a table takes no more rows."""
    found: str | None = json.loads(facts.get("history", "{}")).get("blocked")
    return found


def _query(stack: Stack, client: ClientFactory, query: Query) -> Check:
    try:
        query("SELECT outcome FROM export_runs LIMIT 1")
    except Problem as error:
        return Check("query", False, str(error))
    return Check("query", True, "Athena answers")


def _views(stack: Stack, client: ClientFactory, query: Query) -> Check:
    views = stored_views(client("glue"), stack.outputs["Database"])
    refused = []
    for name in sorted(views):
        try:
            query(f"SELECT * FROM {quoted(name)} LIMIT 0")  # noqa: S608 - the name is quoted
        except Problem as error:
            refused.append(f"{name}: {error}")
    if refused:
        todo = "Every run writes the views anew where they differ: run any export, then check again."
        return Check("views", False, f"{' '.join(refused)} {todo}")
    return Check("views", True, f"Athena reads {', '.join(sorted(views))}" if views else "none yet")


def _clock(stack: Stack, client: ClientFactory, _query: Query) -> Check:
    answer = client("sts").get_caller_identity()["ResponseMetadata"]["HTTPHeaders"].get("date")
    if answer:
        theirs = datetime.strptime(answer, "%a, %d %b %Y %H:%M:%S GMT").replace(tzinfo=UTC)
        if abs(datetime.now(UTC) - theirs) > _CLOCK:
            return Check("clock", False, f"This machine's clock differs from AWS's ({theirs:%H:%M:%S} UTC): set it.")
    return Check("clock", True, f"{datetime.now(UTC):%H:%M} UTC")


def _function(stack: Stack, client: ClientFactory, name: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = client("lambda").get_function_configuration(FunctionName=f"{stack.name}-{name}")
    return found


def _environment(stack: Stack, client: ClientFactory) -> Mapping[str, str]:
    found: Mapping[str, str] = _function(stack, client, "watch-runs")["Environment"]["Variables"]
    return found


_CHECKS: Mapping[str, Callable[[Stack, ClientFactory, Query], Check]] = {
    "clock": _clock,
    "settings": _settings,
    "secret": _token,
    "symplify": _symplify,
    "rules": _rules,
    "subscriptions": _subscriptions,
    "lake formation": _lake_formation,
    "catalog key": _catalog_key,
    "workgroup": _workgroup,
    "tables": _tables,
    "query": _query,
    "views": _views,
}
