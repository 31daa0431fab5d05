"""load_result: rows out of raw/, merged and published."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import boto3

from lambdas.handlers import tools
from lambdas.handlers.edge import run_step
from lambdas.lake.catalog import Catalog
from lambdas.lake.landing import Landing
from lambdas.lake.store import Store
from lambdas.run import Execution, RunState
from lambdas.steps.batch import Lake
from lambdas.steps.load import load

_s3 = boto3.client("s3")
_glue = boto3.client("glue")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Load the batch."""
    return run_step(event, _load)


def _load(state: RunState, run: Execution) -> RunState:
    settings = tools.settings()
    lake = Lake(
        _s3,
        Landing(_s3, settings.bucket),
        Store(_s3, settings.bucket),
        Catalog(_glue, settings.database, settings.bucket),
    )
    with TemporaryDirectory() as folder:
        return load(state, run, tools.ledger(state.export), lake, settings, Path(folder))
