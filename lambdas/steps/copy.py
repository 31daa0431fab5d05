"""Copy a finished batch's result into the lake's raw prefix."""

from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

import urllib3

from lambdas.lake import keys
from lambdas.lake.landing import Landing, Manifest
from lambdas.ledger import COPIED, Ledger
from lambdas.run import Execution, RunState
from lambdas.settings import Settings
from lambdas.steps.refusal import refused
from lambdas.steps.waiting import wait
from lambdas.symplify.client import Client
from lambdas.symplify.outcomes import Link, RateLimited, Refused, Unavailable
from lambdas.symplify.result import LinkExpired, Result, check_link, open_result


@dataclass(frozen=True)
class Source:
    """Where results come from."""

    client: Client
    http: urllib3.PoolManager


def copy(
    state: RunState,
    run: Execution,
    ledger: Ledger,
    source: Source,
    landing: Landing,
    settings: Settings,
    now: datetime,
) -> RunState:
    """Return the state with outcome `copied`, `rate_limited`, `overdue` or `failed`.

    Raises:
        BadInput: the state has no batch.
        Broken: the transfer did not bring what was promised; nothing of it is kept.
    """
    ordered_at, batch_id = state.age
    landed = landing.manifest(state.export, ordered_at, batch_id)
    if landed is None:
        answer = _open(source, batch_id, settings)
        waiting = partial(
            wait,
            state,
            "rate_limited",
            run=run,
            limit=settings.run_deadline,
            now=now,
            unmet="The result could not be fetched",
        )
        if isinstance(answer, RateLimited):
            return waiting(answer.wait_seconds, why="Symplify answered 'too many requests' (429) at last.")
        if isinstance(answer, Unavailable):
            return waiting(settings.poll_max_seconds, why=answer.reason)
        if isinstance(answer, Refused):
            return refused(state, answer)
        where = keys.raw(state.export, ordered_at, batch_id)
        content = landing.store(where.result, answer.chunks())
        landed = Manifest(
            export_type=state.export.name,
            batch_id=batch_id,
            ordered_at=ordered_at,
            period=state.period or "",
            run=run.arn,
            key=where.result,
            bytes=content.bytes,
            sha256=content.sha256,
        )
        landing.write_manifest(landed)
    ledger.mark_batch(batch_id, COPIED)
    return replace(state, outcome="copied", bytes=landed.bytes, wait_seconds=None, reason=None)


def _open(source: Source, batch_id: str, settings: Settings) -> Result | RateLimited | Refused | Unavailable:
    """Open the result; a link that expired between its two calls is replaced by a fresh one, once."""
    for _ in range(2):
        link = source.client.link(batch_id)
        if not isinstance(link, Link):
            return link
        refused = check_link(link, settings.result_hosts, allow_loopback_http=settings.allow_loopback_http)
        if refused is not None:
            return refused
        try:
            return open_result(source.http, link)
        except LinkExpired:
            continue
    return Refused("The file host refused two fresh links with status 403.")
