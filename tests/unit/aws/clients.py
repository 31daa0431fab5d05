"""The clients that all tests of a process share, since each takes longer to make than most of them run."""

from functools import cache
from typing import Any

import boto3

REGION = "eu-north-1"


@cache
def client(service: str) -> Any:
    session: Any = _session()
    return session.client(service)


@cache
def dynamodb() -> Any:
    session: Any = _session()
    return session.resource("dynamodb")


@cache
def _session() -> boto3.Session:
    """One session, which parses each service's model once."""
    return boto3.Session("test", "test", region_name=REGION)
