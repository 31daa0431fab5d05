"""The copy over loopback HTTP into the embedded cloud's bucket (TLS), against curl piped into a plain boto3 upload."""

import json
import os
import shlex
import shutil
import sys
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

import urllib3

from benchmarks.measure import ROOT, Failed, Repetition, Subject, in_turn, ratio, run_command
from benchmarks.options import BenchmarkOptions
from benchmarks.parts.load import OURS
from lambdas.execution import Execution
from lambdas.lake.storage import keys
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.symplify.answers import Batch, BatchState, Link, Ordered
from lambdas.symplify.client import Client
from lambdas.vocabulary import EXPORT_TYPES, Period
from local.cloud import Cloud, boot
from local.standin import Options, StandIn

CURL, FETCH = "curl into boto3", "urllib into boto3"
_SUBJECTS = ROOT / "benchmarks" / "subjects"
_EXPORT = EXPORT_TYPES["CLICKS"]
_BUCKET, _TABLE = "benchmark-lake", "benchmark-ledger"
BLOCK_BYTES = 1_000_000
# The embedded cloud builds a whole answer in memory.
_READ_BYTES = 64 << 20
_OPTIONS = Options(finish_after_polls=1, link_seconds=3600)


@dataclass(frozen=True)
class _Stage:
    """The stand-in, and the cloud with a bucket and a ledger."""

    vendor: StandIn
    client: Client
    cloud: Cloud
    environment: Mapping[str, str]


def measure(options: BenchmarkOptions) -> Iterator[dict[str, Any]]:
    """One line per method and size."""
    has_curl = shutil.which("curl") is not None
    if not has_curl:
        options.report("copy: this machine has no curl; Python's urllib is used instead, which is slower")
    with StandIn(_OPTIONS) as vendor, TemporaryDirectory(dir=options.folder, prefix="copy-") as name:
        options.report("copy: the embedded cloud")
        cloud = boot(Path(name))
        try:
            stage = _staged(vendor, cloud)
            for megabytes in options.copy_sizes:
                options.report(f"copy: {megabytes} MB")
                source = Path(name) / "result"
                crc = write_noise(source, megabytes)
                yield from _of_size(stage, source, crc, megabytes, options, has_curl=has_curl)
        finally:
            cloud.process.stop()


def _of_size(
    stage: _Stage, source: Path, crc: int, megabytes: int, options: BenchmarkOptions, *, has_curl: bool
) -> Iterator[dict[str, Any]]:
    other = CURL if has_curl else FETCH
    methods = {OURS: _ours, other: _curl if has_curl else _fetch}

    def subject(name: str) -> Subject:
        def start(folder: Path) -> Repetition:
            batch_id, ordered_at = _ordered(stage, source)
            key = keys.raw(_EXPORT, ordered_at, batch_id).result
            done = run_command(methods[name](stage, batch_id, ordered_at, key), folder, stage.environment)
            copied = _crc_of(stage, key, source.stat().st_size)
            # The cloud keeps objects in memory.
            stage.cloud.client("s3").delete_object(Bucket=_BUCKET, Key=key)
            if copied != crc:
                raise Failed(f"The copied object has the CRC-32 {copied:08x}, and its source {crc:08x}.")
            return done

        return Subject(name, start, lambda _: True)

    found = in_turn([subject(name) for name in methods], options.repetitions, options.folder)
    for name, measured in found.items():
        figures = measured.figures()
        yield {
            "subject": name,
            "megabytes": megabytes,
            "bytes": megabytes * BLOCK_BYTES,
            **figures,
            "bytesPerSecond": megabytes * BLOCK_BYTES / figures["wall"] if figures else None,
            "ratioToCurl": ratio(measured, found[other]),
            "checksum": f"{crc:08x}",
            "isSame": measured.outcome,
            "failed": measured.failed,
        }


def _ours(stage: _Stage, batch_id: str, ordered_at: str, _key: str) -> list[str]:
    given = {
        "export": _EXPORT.name,
        "period": Period.LAST_DAY,
        "batchId": batch_id,
        "orderedAt": ordered_at,
        "baseUrl": stage.vendor.base_url,
        "customerId": _OPTIONS.customer_id,
        "token": _OPTIONS.token,
        "bucket": _BUCKET,
        "table": _TABLE,
    }
    return [sys.executable, "-m", "benchmarks.subjects.copy_step", json.dumps(given)]


def _curl(stage: _Stage, batch_id: str, _ordered_at: str, key: str) -> list[str]:
    return _piped(["curl", "--silent", "--fail"], stage, batch_id, key)


def _fetch(stage: _Stage, batch_id: str, _ordered_at: str, key: str) -> list[str]:
    return _piped([sys.executable, str(_SUBJECTS / "fetch.py")], stage, batch_id, key)


def _piped(fetch: list[str], stage: _Stage, batch_id: str, key: str) -> list[str]:
    link = stage.client.link(batch_id)
    if not isinstance(link, Link):
        raise Failed(f"The stand-in gave no link: {link}")
    upload = [sys.executable, str(_SUBJECTS / "plain_upload.py"), _BUCKET, key]
    return ["sh", "-c", f"{shlex.join([*fetch, link.url])} | {shlex.join(upload)}"]


def _staged(vendor: StandIn, cloud: Cloud) -> _Stage:
    cloud.client("s3").create_bucket(
        Bucket=_BUCKET, CreateBucketConfiguration={"LocationConstraint": cloud.environment["AWS_REGION"]}
    )
    cloud.client("dynamodb").create_table(
        TableName=_TABLE,
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk")],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
    )
    client = Client(urllib3.PoolManager(), vendor.base_url, _OPTIONS.customer_id, lambda: _OPTIONS.token)
    return _Stage(vendor, client, cloud, {**os.environ, **cloud.environment})


def _ordered(stage: _Stage, source: Path) -> tuple[str, str]:
    """Order a batch whose result is that file, wait for it, and write it into the ledger; its id and order time."""
    stage.vendor.replace_result(str(_OPTIONS.first_batch_id + len(stage.vendor.orders)), source)
    ordered = stage.client.order(_EXPORT, Period.LAST_DAY)
    if not isinstance(ordered, Ordered):
        raise Failed(f"The stand-in took no order: {ordered}")
    while not (isinstance(batch := stage.client.batch(ordered.batch_id), Batch) and batch.state is BatchState.FINISHED):
        pass
    now = datetime.now(UTC)
    ordered_at = now.isoformat(timespec="microseconds")
    table = stage.cloud.session.resource("dynamodb", endpoint_url=stage.cloud.endpoint, verify=stage.cloud.ca_bundle)
    run_ = Execution(f"arn:aws:states:eu-west-1:000000000000:execution:benchmark:{uuid4().hex}", now)
    order = Order(ordered_at, 0, ordered.batch_id, ordered_at)
    Ledger(table.Table(_TABLE), _EXPORT).write_order(run_, order, Period.LAST_DAY)
    return ordered.batch_id, ordered_at


def write_noise(path: Path, megabytes: int) -> int:
    """Write an incompressible file of so many blocks, and return its CRC-32."""
    block, crc = bytearray(Random(1).randbytes(BLOCK_BYTES)), 0
    with path.open("wb") as file:
        for number in range(megabytes):
            block[:8] = number.to_bytes(8, "big")
            crc = zlib.crc32(block, crc)
            file.write(block)
    return crc


def _crc_of(stage: _Stage, key: str, size: int) -> int:
    """The CRC-32 of an object."""
    s3, crc = stage.cloud.client("s3"), 0
    for start in range(0, size, _READ_BYTES):
        span = f"bytes={start}-{min(start + _READ_BYTES, size) - 1}"
        crc = zlib.crc32(s3.get_object(Bucket=_BUCKET, Key=key, Range=span)["Body"].read(), crc)
    return crc
