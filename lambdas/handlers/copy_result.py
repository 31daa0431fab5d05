"""copy_result: stream the result into raw/."""

from datetime import UTC, datetime
from typing import Any

import boto3

from lambdas.handlers import tools
from lambdas.handlers.edge import run_step
from lambdas.lake.landing import Landing
from lambdas.run import Execution, RunState
from lambdas.steps.copy import Source, copy

_s3 = boto3.client("s3")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Copy the result."""
    return run_step(event, _copy)


def _copy(state: RunState, run: Execution) -> RunState:
    settings = tools.settings()
    source = Source(tools.client(), tools.http())
    return copy(
        state, run, tools.ledger(state.export), source, Landing(_s3, settings.bucket), settings, datetime.now(UTC)
    )
