"""Least privilege: each statement of each function's role is removed in turn, and a night must then fail.

`make least-privilege` runs it; `make test` does not, since it takes minutes. `EXCEPTIONS` lists the statements that the
embedded cloud does not enforce.
"""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra.functions import FUNCTION_SIZES
from infra.settings import from_context
from infra.stack import SymplifyLake
from tests.conftest import ROOT
from tests.workflow.campaign import Stage
from tests.workflow.machine import force_cold_start
from tests.workflow.test_real_runs import without_statement

pytestmark = pytest.mark.enable_socket

_NOT_ENFORCED = "the emulator does not enforce "
EXCEPTIONS = {
    "PublishTables": _NOT_ENFORCED + "rights on Glue tables",
    "PublishRunRecords": _NOT_ENFORCED + "rights on Glue tables",
    "PublishRunRecordsAndViews": _NOT_ENFORCED + "rights on Glue tables",
    "PublishAlerts": _NOT_ENFORCED + "rights on topics that CloudFormation created",
    "UseKey": _NOT_ENFORCED + "grants on keys; present only with a customer-managed key",
    "logs:CreateLogStream, logs:PutLogEvents": "the emulator writes a function's log itself",
    "xray:PutTelemetryRecords, xray:PutTraceSegments": "the emulator keeps no traces",
    "write-report ReadCatalog": _NOT_ENFORCED + "rights on Glue tables",
    "write-report FindDatabase": _NOT_ENFORCED + "rights on Glue databases",
    "write-report ReadTables": "the emulator's Athena reads with rights of its own",
    "copy-result ListBucket": "the emulator answers 404 for a missing object without it, where AWS says 403",
}
"""Statements by name, of all functions or of one, each with its reason."""

KEY = "arn:aws:kms:eu-west-1:000000000000:key/00000000-0000-0000-0000-000000000000"


def _statements() -> Iterator[tuple[str, str]]:
    """Every statement of every function, synthesized with every optional setting."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    stack = SymplifyLake(App(analytics_reporting=False), from_context({**context, "kmsKeyArn": KEY}))
    resources = App.of(stack).synth().get_stack_by_name(stack.stack_name).template["Resources"]  # type: ignore[union-attr]
    roles = {
        resource["Properties"]["Role"]["Fn::GetAtt"][0]: resource["Properties"]["FunctionName"]
        for resource in resources.values()
        if resource["Type"] == "AWS::Lambda::Function" and "FunctionName" in resource["Properties"]
    }
    for resource in resources.values():
        if resource["Type"] == "AWS::IAM::Policy" and resource["Properties"]["Roles"][0]["Ref"] in roles:
            name = roles[resource["Properties"]["Roles"][0]["Ref"]].removeprefix(f"{stack.stack_name}-")
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                yield name, statement.get("Sid") or ", ".join(sorted(statement["Action"]))


STATEMENTS = sorted(_statements())
# The same in every night, or they would contradict each other; and as many as a new table needs.
RECORDS = "".join(
    f'{{"eventId":{number},"contactId":"k{number}","timestamp":"{datetime.now(UTC) - timedelta(minutes=number)}"}}\n'
    for number in range(30)
)


def night(stage: Stage, folder: Path) -> str | None:
    """Run an event and an entity export with every rare case, then the watch; return the first failure."""
    leave_orphans(stage)
    stage.next_result(folder, RECORDS + '{"eventId":\n')
    # Without sends, the report has nothing to ask Athena.
    for export in ("CLICKS", "CAMPAIGNS", "SENT"):
        ended = stage.wait(stage.start(exportType=export, period="LAST_WEEK"))
        if ended.status != "SUCCEEDED":
            return ended.cause
    stopped = stage.start(exportType="CAMPAIGNS")
    stage.states.stop_execution(executionArn=stopped)
    stage.wait(stopped)
    return stage.watch() or report(stage)


def report(stage: Stage) -> str | None:
    """Have the morning report written, as the end of a run does; return why it or a part of it is missing."""
    answer = stage.running.cloud.client("lambda").invoke(
        FunctionName=f"{stage.deployed.stack}-write-report", Payload=b'{"source": "aws.states"}'
    )
    payload: str = answer["Payload"].read().decode()
    if "FunctionError" in answer:
        return payload
    page: str = (
        stage.s3.get_object(Bucket=stage.deployed.bucket, Key=json.loads(payload)["key"])["Body"].read().decode()
    )
    return page if "What became of the sends is not known" in page else None


def leave_orphans(stage: Stage) -> None:
    """Create the remains of a lost run: its lease and an open multipart upload."""
    for export in ("CLICKS", "CAMPAIGNS"):
        stage.clear_ledger(export)
    lost = stage.deployed.state_machine_arn.replace(":stateMachine:", ":execution:") + ":lost"
    stage.ledger.put_item(Item={"pk": "CLICKS", "sk": "lease", "owner": lost, "schema_version": 1})
    stage.s3.create_multipart_upload(Bucket=stage.deployed.bucket, Key="raw/clicks/2026-01-01/1/result")


def test_every_statement_of_every_function_is_checked_or_excepted() -> None:
    assert {name for name, _ in STATEMENTS} == {name.replace("_", "-") for name in FUNCTION_SIZES}
    assert set(EXCEPTIONS) <= {sid for _, sid in STATEMENTS} | {f"{name} {sid}" for name, sid in STATEMENTS}


def is_checked(function: str, sid: str) -> bool:
    return sid not in EXCEPTIONS and f"{function} {sid}" not in EXCEPTIONS


@pytest.mark.parametrize(("function", "sid"), [pair for pair in STATEMENTS if is_checked(*pair)])
def test_without_the_statement_a_night_fails(stage: Stage, function: str, sid: str, tmp_path: Path) -> None:
    with without_statement(stage.running, function, sid):
        reason = night(stage, tmp_path)
    force_cold_start(stage.running, function)
    assert reason is not None, f"{function} works without {sid}"
    # A refused HEAD has no body, so no error code.
    assert any(words in reason for words in ("AccessDenied", "not authorized", "(403)")), reason


def test_with_every_statement_a_night_succeeds(stage: Stage, tmp_path: Path) -> None:
    assert night(stage, tmp_path) is None
