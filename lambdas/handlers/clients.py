"""Clients and collaborators of the handlers: the one place that makes them, each when it is first used."""

import os
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import boto3
import urllib3
from botocore.config import Config

from lambdas.handlers import metrics
from lambdas.ledger.calls import Calls
from lambdas.ledger.history import Notifications
from lambdas.ledger.ledger import Ledger
from lambdas.settings import Settings
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import READERS
from lambdas.symplify.token import token_source
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table
    from types_boto3_glue import GlueClient
    from types_boto3_s3 import S3Client
    from types_boto3_stepfunctions import SFNClient

    from lambdas.lake.storage.landing import Landing
    from lambdas.lake.storage.store import Store
    from lambdas.lake.tables.catalog import Catalog


@cache
def settings() -> Settings:
    """The deployment's settings."""
    return Settings.from_environment(os.environ)


# Symplify


@cache
def http() -> urllib3.PoolManager:
    """Connections to Symplify's file host; certificates are always checked."""
    # As many kept connections to one host as a copy has readers.
    return urllib3.PoolManager(maxsize=READERS)


@cache
def symplify() -> Client:
    """Symplify's API."""
    chosen = settings()
    read_token = token_source(boto3.client("secretsmanager"), chosen.token_secret_arn)
    take_call = _take_call if chosen.calls_per_minute else None
    return Client(metrics.CountedCalls(), chosen.base_url, chosen.customer_id, read_token, take_call)


def _take_call() -> int:
    return Calls(_table()).take(settings().calls_per_minute, datetime.now(UTC))


# The ledger


def ledger(export: ExportType) -> Ledger:
    """The ledger of an export type."""
    return Ledger(_table(), export)


def notifications() -> Notifications:
    """The notifications that concern all export types alike."""
    return Notifications(_table())


@cache
def _table() -> "Table":
    return boto3.resource("dynamodb").Table(settings().ledger_table)


# The lake. Its modules are imported by the functions that use it alone, to keep the cold start of the others short.


def landing() -> "Landing":
    """The raw/ side of the bucket."""
    from lambdas.lake.storage.landing import Landing  # noqa: PLC0415 - see above

    return Landing(s3(), settings().bucket)


def landing_for_copy() -> "Landing":
    """The raw/ side of the bucket, for large uploads."""
    from lambdas.lake.storage.landing import Landing  # noqa: PLC0415 - see above

    return Landing(s3_for_parts(), settings().bucket)


def store() -> "Store":
    """The files of the tables."""
    from lambdas.lake.storage.store import Store  # noqa: PLC0415 - see above

    return Store(s3(), settings().bucket)


def catalog() -> "Catalog":
    """The tables in Glue."""
    from lambdas.lake.tables.catalog import Catalog  # noqa: PLC0415 - see above

    return Catalog(glue(), settings().database, settings().bucket)


# Clients of AWS


@cache
def s3() -> "S3Client":
    """S3."""
    return boto3.client("s3")


@cache
def s3_for_parts() -> "S3Client":
    """S3 for bodies whose CRC-32 and TLS already protect them: they are not hashed once more to be signed."""
    return boto3.client("s3", config=Config(s3={"payload_signing_enabled": False}))


@cache
def glue() -> "GlueClient":
    """Glue."""
    return boto3.client("glue")


@cache
def step_functions() -> "SFNClient":
    """Step Functions."""
    return boto3.client("stepfunctions")


@cache
def athena() -> Any:
    """Athena."""
    return boto3.client("athena")


@cache
def sns() -> Any:
    """SNS."""
    return boto3.client("sns")
