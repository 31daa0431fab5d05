"""Copy a finished batch's result into raw/, in as many calls as it takes."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import urllib3

from lambdas.execution import Execution, RunState
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED
from lambdas.outcome import Outcome
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.failure import refused
from lambdas.steps.multipart_copy import MultipartCopy, Partial, Remaining
from lambdas.symplify.answers import RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import Remote


@dataclass(frozen=True)
class ResultSource:
    """Where results come from: the API gives links, and `http` reads what they point to."""

    client: Client
    http: urllib3.PoolManager


def copy_result(
    state: RunState,
    run: Execution,
    *,
    ledger: Ledger,
    source: ResultSource,
    landing: Landing,
    settings: Settings,
    remaining: Remaining,
    now: datetime,
) -> RunState:
    """Return the state with outcome `copied`, `partial`, `rate_limited`, `overdue` or `failed`.

    An upload that a wait, a crash or a lack of time left open is resumed by the next call; `close_run` aborts those of
    a run that failed.

    Raises:
        BadInput: the state has no batch.
        Broken: the source did not send what it promised.
        Damaged: S3 has other bytes than were sent.
    """
    ordered_at, batch_id = state.age
    landed = landing.manifest(state.export, ordered_at, batch_id)
    if landed is None:
        where = keys.raw(state.export, ordered_at, batch_id)
        remote = Remote(
            source.client,
            source.http,
            batch_id,
            hosts=settings.result_hosts,
            allow_loopback_http=settings.allow_loopback_http,
        )
        result = MultipartCopy(
            remote=remote,
            landing=landing,
            ledger=ledger,
            batch_id=batch_id,
            key=where.result,
            remaining=remaining,
            part_bytes=state.part_bytes,
        ).copy()
        waiting = partial(
            wait,
            state,
            Outcome.RATE_LIMITED,
            run=run,
            limit=settings.run_deadline,
            now=now,
            expectation="The result could not be fetched",
        )
        match result:
            case Partial():
                return replace(state, outcome=Outcome.PARTIAL, wait_seconds=None, reason=None)
            case RateLimited(seconds, cause):
                return waiting(seconds, cause=cause)
            case Unavailable(reason):
                return waiting(settings.poll_max_seconds, cause=reason)
            case Refused():
                return refused(state, result)
        landed = Manifest(
            export_type=state.export.name,
            batch_id=batch_id,
            ordered_at=ordered_at,
            period=state.period or "",
            run=run.arn,
            key=where.result,
            bytes=result.landed.bytes,
            crc32=result.landed.crc32,
            md5=result.md5,
            md5_verified=result.md5_verified or None,
        )
        landing.write_manifest(landed)
    ledger.mark_batch(batch_id, COPIED)
    return replace(state, outcome=Outcome.COPIED, bytes=landed.bytes, wait_seconds=None, reason=None)
