"""load_result: rows out of raw/, merged and published."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
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
from lambdas.steps.replay import replay

_s3 = boto3.client("s3")
_glue = boto3.client("glue")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Load the batch, or merge the next ones of a replay."""
    return run_step("load_result", event, _load)


def _load(state: RunState, run: Execution) -> RunState:
    settings = tools.settings()
    lake = Lake(
        _s3,
        Landing(_s3, settings.bucket),
        Store(_s3, settings.bucket),
        Catalog(_glue, settings.database, settings.bucket),
    )
    with TemporaryDirectory() as folder:
        ledger, work = tools.ledger(state.export), Path(folder)
        if state.replay is not None:
            return replay(state, run, ledger, lake, settings, work, monotonic)
        return load(state, run, ledger, lake, settings, work, monotonic)
