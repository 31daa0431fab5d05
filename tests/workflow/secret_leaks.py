"""A search for leaked secrets in everything that a stack and its runs write, in any encoding.

Secrets Manager, which stores the token, is the only exception.
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any
from urllib.parse import quote, quote_plus

import duckdb

from tests.workflow.campaign import Stage

Place = tuple[str, str, bytes]
"""The kind of place, its name, and its content."""

# Installed packages contain no secrets and are most of the files.
_PACKAGES = {".py", ".pyc", ".so", ".typed", ".gz"}


def leaks(places: Iterator[Place], secrets: tuple[str, ...]) -> tuple[list[str], Counter[str]]:
    """The places with one of the secrets, and the number of searched places by kind."""
    wanted = [form for secret in secrets for form in forms(secret)]
    found, seen = [], Counter[str]()
    for kind, name, content in places:
        seen[kind] += 1
        # Nested JSON encoding only adds backslashes.
        bare = content.replace(b"\\", b"")
        found += [f"{kind} {name} contains {form.decode()}" for form in wanted if form in content or form in bare]
    return found, seen


def forms(secret: str) -> set[bytes]:
    """A secret as plain text, URL-encoded once and twice, and in base64 at any offset."""
    urls = {quote(secret, safe=""), quote_plus(secret), quote(secret)}
    urls |= {quote(url, safe="") for url in urls}
    plain = {secret, *urls, *(url.replace("%2F", "%2f").replace("%3D", "%3d") for url in urls)}
    encoded = set()
    for offset in range(3):
        text = base64.b64encode(b"\0" * offset + secret.encode())
        # The first and last characters also encode the bytes around the secret.
        inner = text[-(-offset * 8 // 6) : (offset + len(secret)) * 8 // 6]
        encoded |= {inner, inner.translate(bytes.maketrans(b"+/", b"-_"))}
    return {text.encode() for text in plain} | encoded


def _objects(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Every version of every object in the bucket, as stored and decompressed."""
    bucket = stage.deployed.bucket
    for page in stage.s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
        for version in page.get("Versions", []):
            key = version["Key"]
            found = stage.s3.get_object(Bucket=bucket, Key=key, VersionId=version["VersionId"])
            yield key, found["Metadata"]
            content = found["Body"].read()
            yield key, content
            yield key, _unpacked(content)


def _unpacked(content: bytes) -> bytes:
    if content.startswith(b"\x1f\x8b"):
        with suppress(OSError, EOFError):
            return gzip.decompress(content)
    if content.startswith(b"PAR1"):
        with NamedTemporaryFile(suffix=".parquet") as file:
            file.write(content)
            file.flush()
            return json.dumps(duckdb.read_parquet(file.name).fetchall(), default=str).encode()
    return b""


def _ledger(stage: Stage) -> Iterator[tuple[str, Any]]:
    for page in stage.ledger.meta.client.get_paginator("scan").paginate(TableName=stage.ledger.name):
        for item in page["Items"]:
            yield f"{item['pk']} {item['sk']}", item


def _executions(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Inputs, outputs, causes, and every event of every history."""
    machine = stage.deployed.state_machine_arn
    yield machine, stage.states.describe_state_machine(stateMachineArn=machine)
    for page in stage.states.get_paginator("list_executions").paginate(stateMachineArn=machine):
        for execution in page["executions"]:
            arn = execution["executionArn"]
            yield arn, stage.states.describe_execution(executionArn=arn)
            for events in stage.states.get_paginator("get_execution_history").paginate(executionArn=arn):
                yield arn, events["events"]


def _logs(stage: Stage) -> Iterator[tuple[str, Any]]:
    """All log groups of the account."""
    logs = stage.running.cloud.client("logs")
    for page in logs.get_paginator("describe_log_groups").paginate():
        for group in page["logGroups"]:
            name = group["logGroupName"]
            for events in logs.get_paginator("filter_log_events").paginate(logGroupName=name):
                yield name, events["events"]


def _messages(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Messages to subscribers and in the dead-letter queue."""
    yield from (("topic", message) for message in stage.messages())
    sqs = stage.running.cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{stage.deployed.stack}-dead-letters")["QueueUrl"]
    yield url, sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)


def _catalog(stage: Stage) -> Iterator[tuple[str, Any]]:
    glue, database = stage.running.cloud.client("glue"), stage.deployed.database
    yield database, glue.get_database(Name=database)
    for page in glue.get_paginator("get_tables").paginate(DatabaseName=database):
        for table in page["TableList"]:
            yield table["Name"], table
            if table.get("PartitionKeys"):
                table_name = {"DatabaseName": database, "TableName": table["Name"]}
                for partitions in glue.get_paginator("get_partitions").paginate(**table_name):
                    yield table["Name"], partitions


def _functions(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Configurations with variables, and the template."""
    functions = stage.running.cloud.client("lambda")
    for page in functions.get_paginator("list_functions").paginate():
        yield from ((function["FunctionName"], function) for function in page["Functions"])
    template = stage.running.cloud.client("cloudformation").get_template(StackName=stage.deployed.stack)
    yield "template", template["TemplateBody"]


def _metrics(stage: Stage) -> Iterator[tuple[str, Any]]:
    for page in stage.running.cloud.client("cloudwatch").get_paginator("list_metrics").paginate():
        yield "metrics", page["Metrics"]


def _files(stage: Stage) -> Iterator[tuple[str, Any]]:
    """Files of the local cloud and its functions."""
    for path in sorted(stage.running.folder.rglob("*")):
        if path.suffix not in _PACKAGES and path.is_file():
            # A function may delete its files meanwhile.
            with suppress(FileNotFoundError):
                yield str(path.relative_to(stage.running.folder)), Path(path).read_bytes()


_PLACES = (_objects, _ledger, _executions, _logs, _messages, _catalog, _functions, _metrics, _files)
KINDS = {look.__name__.removeprefix("_") for look in _PLACES}


def everything(stage: Stage) -> Iterator[Place]:
    """All places, from one function above per kind."""
    for look in _PLACES:
        for name, content in look(stage):
            text = content if isinstance(content, bytes) else json.dumps(content, default=str).encode()
            yield look.__name__.removeprefix("_"), name, text
