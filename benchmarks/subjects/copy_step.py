"""The step of `copy_result`: a finished batch of the stand-in into the embedded bucket, with ledger and manifest.

Its one argument is a JSON object; AWS's variables in the environment say where the cloud is.
"""

import json
import sys
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import boto3
import urllib3

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients
from lambdas.lake.storage.landing import Landing
from lambdas.ledger.ledger import Ledger
from lambdas.steps.copy_result import ResultSource, copy_result
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import READERS

given = json.loads(sys.argv[1])
now = datetime.now(UTC)
settings: Any = SimpleNamespace(result_hosts=(), allow_loopback_http=True, run_deadline=timedelta(hours=6))
state = RunState(
    export_type=given["export"], period=given["period"], batch_id=given["batchId"], ordered_at=given["orderedAt"]
)
client = Client(urllib3.PoolManager(), given["baseUrl"], given["customerId"], lambda: given["token"])
answer = copy_result(
    state,
    Execution("arn:aws:states:eu-west-1:000000000000:execution:benchmark:copy", now),
    ledger=Ledger(boto3.resource("dynamodb").Table(given["table"]), state.export),
    source=ResultSource(client, urllib3.PoolManager(maxsize=READERS)),
    landing=Landing(clients.s3_for_parts(), given["bucket"]),
    settings=settings,
    # The time of a call of the function.
    remaining=lambda: 900.0,
    now=now,
)
if answer.outcome != "copied":
    sys.exit(f"The copy ended as {answer.outcome}: {answer.reason}")
print(json.dumps({"bytes": answer.bytes}))
