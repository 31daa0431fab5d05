"""close_run: the run's record, the watermark, the lease; the last step of every run, failed or not."""

from datetime import UTC, datetime
from typing import Any

import boto3

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.handlers.notify import tell
from lambdas.lake.storage.landing import Landing
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.steps.close_run import Books, close_run, close_unknown
from lambdas.vocabulary import UnknownName

_s3 = boto3.client("s3")
_glue = boto3.client("glue")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Close the run."""
    return run_step("close_run", event, _close)


def _close(state: RunState, run: Execution) -> RunState:
    closed = _closed(state, run)
    tell(closed, state, run, datetime.now(UTC))
    return closed


def _closed(state: RunState, run: Execution) -> RunState:
    try:
        export = state.export
    except UnknownName:
        return close_unknown(state)
    settings = clients.settings()
    books = Books(
        clients.ledger(export),
        Store(_s3, settings.bucket),
        Catalog(_glue, settings.database, settings.bucket),
        Landing(_s3, settings.bucket),
    )
    return close_run(state, run, books, settings, datetime.now(UTC))
