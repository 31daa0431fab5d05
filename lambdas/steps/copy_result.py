"""Copy a finished batch's result into the lake's raw prefix, in as many calls as it takes."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import urllib3

from lambdas.execution import Execution, RunState
from lambdas.lake.storage import keys
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import COPIED
from lambdas.settings import Settings
from lambdas.steps.deadline import wait
from lambdas.steps.multipart_copy import Partial, Remaining, Transfer
from lambdas.steps.refusal import refused
from lambdas.symplify.answers import RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.symplify.remote import Remote


@dataclass(frozen=True)
class ResultSource:
    """Where results come from."""

    client: Client
    http: urllib3.PoolManager


def copy_result(
    state: RunState,
    run: Execution,
    ledger: Ledger,
    source: ResultSource,
    landing: Landing,
    settings: Settings,
    remaining: Remaining,
    now: datetime,
) -> RunState:
    """Return the state with outcome `copied`, `partial`, `rate_limited`, `overdue` or `failed`.

    An upload that a wait, a crash or a lack of time left open is gone on with by the next call; `close_run` gives up
    those of a run that failed.

    Raises:
        BadInput: the state has no batch.
        Broken: the transfer did not bring what was promised.
        Damaged: S3 holds other bytes than were sent.
    """
    ordered_at, batch_id = state.age
    landed = landing.manifest(state.export, ordered_at, batch_id)
    if landed is None:
        where = keys.raw(state.export, ordered_at, batch_id)
        remote = Remote(
            source.client,
            source.http,
            batch_id,
            settings.result_hosts,
            allow_loopback_http=settings.allow_loopback_http,
        )
        brought = Transfer(remote, landing, ledger, batch_id, where.result, remaining).bring()
        waiting = partial(
            wait,
            state,
            "rate_limited",
            run=run,
            limit=settings.run_deadline,
            now=now,
            unmet="The result could not be fetched",
        )
        match brought:
            case Partial():
                return replace(state, outcome="partial", wait_seconds=None, reason=None)
            case RateLimited(seconds):
                return waiting(seconds, why="Symplify answered 'too many requests' (429) at last.")
            case Unavailable(reason):
                return waiting(settings.poll_max_seconds, why=reason)
            case Refused():
                return refused(state, brought)
        landed = Manifest(
            export_type=state.export.name,
            batch_id=batch_id,
            ordered_at=ordered_at,
            period=state.period or "",
            run=run.arn,
            key=where.result,
            bytes=brought.landed.bytes,
            crc32=brought.landed.crc32,
            md5=brought.md5,
            md5_verified=brought.md5_holds or None,
        )
        landing.write_manifest(landed)
    ledger.mark_batch(batch_id, COPIED)
    return replace(state, outcome="copied", bytes=landed.bytes, wait_seconds=None, reason=None)
