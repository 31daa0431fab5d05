"""What handlers work with, made once per process."""

import os
from functools import cache
from typing import TYPE_CHECKING

import boto3
import urllib3
from botocore.config import Config

from lambdas.handlers import metrics
from lambdas.ledger.history import Notifications
from lambdas.ledger.ledger import Ledger
from lambdas.settings import Settings
from lambdas.symplify.client import Client
from lambdas.symplify.remote import READERS
from lambdas.symplify.token import token_source
from lambdas.vocabulary import ExportType

if TYPE_CHECKING:
    from types_boto3_dynamodb.service_resource import Table
    from types_boto3_s3 import S3Client


@cache
def settings() -> Settings:
    """The deployment's settings."""
    return Settings.from_environment(os.environ)


@cache
def http() -> urllib3.PoolManager:
    """Connections to Symplify and its file host; certificates are always checked."""
    # As many kept connections to one host as a copy has readers.
    return urllib3.PoolManager(maxsize=READERS)


@cache
def client() -> Client:
    """Symplify's API."""
    chosen = settings()
    read_token = token_source(boto3.client("secretsmanager"), chosen.token_secret_arn)
    return Client(metrics.CountedCalls(), chosen.base_url, chosen.customer_id, read_token)


def s3_for_parts() -> "S3Client":
    """S3 for bodies that carry their CRC-32, which TLS keeps whole: they are not hashed once more to be signed."""
    return boto3.client("s3", config=Config(s3={"payload_signing_enabled": False}))


def ledger(export: ExportType) -> Ledger:
    """The ledger of an export type."""
    return Ledger(_table(), export)


def notifications() -> Notifications:
    """The notifications that concern all export types alike."""
    return Notifications(_table())


@cache
def _table() -> "Table":
    return boto3.resource("dynamodb").Table(settings().ledger_table)
