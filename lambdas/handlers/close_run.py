"""close_run: the run's record, the watermark, the lease; the last step of every run, failed or not."""

from datetime import UTC, datetime
from typing import Any

import boto3

from lambdas.handlers import tools
from lambdas.handlers.edge import run_step
from lambdas.handlers.telling import tell
from lambdas.lake.catalog import Catalog
from lambdas.lake.landing import Landing
from lambdas.lake.store import Store
from lambdas.run import Execution, RunState
from lambdas.steps.close import Books, close, close_unknown
from lambdas.symplify.vocabulary import UnknownName

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
    settings = tools.settings()
    books = Books(
        tools.ledger(export),
        Store(_s3, settings.bucket),
        Catalog(_glue, settings.database, settings.bucket),
        Landing(_s3, settings.bucket),
    )
    return close(state, run, books, settings, datetime.now(UTC))
