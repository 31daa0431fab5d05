"""Is every right needed? Each statement of each function's role is taken away in turn, and a night must then fail.

`make least-privilege` runs it; `make test` does not, since it takes minutes. What stands in `EXCEPTIONS` works without
its statement on the embedded cloud, for the reason given there.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infra.functions import SHAPES
from infra.settings import from_context
from infra.stack import SymplifyLake
from local.lifecycle import Running
from tests.conftest import ROOT
from tests.workflow.machine import run, start_anew, wait
from tests.workflow.test_real_runs import without

_NOT_ENFORCED = "the emulator does not enforce "
EXCEPTIONS = {
    "PublishTables": _NOT_ENFORCED + "rights on Glue tables",
    "PublishRunRecords": _NOT_ENFORCED + "rights on Glue tables",
    "TellPeople": _NOT_ENFORCED + "rights on topics that CloudFormation has made",
    "SeeOtherRuns": "only a run that finds another one's lease asks for it",
    "AbortUploads": "only a run that left an upload open has one to abort",
    "WriteQuarantine": "only an export with unreadable records writes there",
    "ListBucket": "the emulator answers 404 for a missing object without it, where AWS says 403",
}
"""Statements by Sid, each with its reason. Under a key of the team's own comes UseKey: KMS grants are not enforced."""


def _statements() -> Iterator[tuple[str, str]]:
    """Every named statement of every function, as the stack is synthesized."""
    context: dict[str, Any] = json.loads((ROOT / "cdk.json").read_text())["context"]
    stack = SymplifyLake(App(analytics_reporting=False), from_context(context))
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
                if "Sid" in statement:
                    yield name, statement["Sid"]


STATEMENTS = sorted(_statements())


def night(running: Running) -> str | None:
    """An entity and an event export, and the watch over them; the first reason why something failed."""
    for export in ("CAMPAIGNS", "CLICKS"):
        ended = run(running.cloud, running.deployment.state_machine_arn, {"exportType": export, "period": "LAST_DAY"})
        if ended.status != "SUCCEEDED":
            return ended.cause
    states = running.cloud.client("stepfunctions")
    machine = running.deployment.state_machine_arn
    stopped = states.start_execution(stateMachineArn=machine, input='{"exportType": "CAMPAIGNS"}')["executionArn"]
    states.stop_execution(executionArn=stopped)
    wait(running.cloud, stopped)
    answer = running.cloud.client("lambda").invoke(FunctionName=f"{running.deployment.stack}-watch-runs", Payload="{}")
    said = answer["Payload"].read().decode()
    return said if "FunctionError" in answer else None


def test_every_function_is_looked_at() -> None:
    assert {name for name, _ in STATEMENTS} == {name.replace("_", "-") for name in SHAPES}
    assert set(EXCEPTIONS) <= {sid for _, sid in STATEMENTS}


@pytest.mark.parametrize(("function", "sid"), [pair for pair in STATEMENTS if pair[1] not in EXCEPTIONS])
def test_without_the_statement_a_night_fails(running: Running, function: str, sid: str, tmp_path: Path) -> None:
    free_leases(running)
    with without(running, function, sid):
        reason = night(running)
    start_anew(running, function)
    assert reason is not None, f"Nobody misses {sid} of {function}"
    # A HEAD is refused without a body, so without AWS's word for it.
    assert any(words in reason for words in ("AccessDenied", "not authorized", "(403)")), reason


def free_leases(running: Running) -> None:
    """What a failed close_run leaves is not waited for here."""
    table = running.cloud.client("dynamodb")
    for export in ("CAMPAIGNS", "CLICKS"):
        key = {"pk": {"S": export}, "sk": {"S": "lease"}}
        table.delete_item(TableName=running.deployment.ledger_table, Key=key)


def test_with_every_statement_a_night_succeeds(running: Running) -> None:
    free_leases(running)
    assert night(running) is None
