"""load_result: rows out of raw/, merged and published."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from typing import Any

import boto3

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.handlers.entrypoint import run_step
from lambdas.lake.storage.landing import Landing
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.steps.load_result import load_result
from lambdas.steps.merge_batch import Lake
from lambdas.steps.replay import replay

_s3 = boto3.client("s3")
_glue = boto3.client("glue")


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Load the batch, or merge the next ones of a replay."""
    return run_step("load_result", event, _load)


def _load(state: RunState, run: Execution) -> RunState:
    settings = clients.settings()
    lake = Lake(
        _s3,
        Landing(_s3, settings.bucket),
        Store(_s3, settings.bucket),
        Catalog(_glue, settings.database, settings.bucket),
    )
    with TemporaryDirectory() as folder:
        ledger, work = clients.ledger(state.export), Path(folder)
        if state.replay is not None:
            return replay(state, run, ledger, lake, settings, work, monotonic)
        return load_result(state, run, ledger, lake, settings, work, monotonic)
