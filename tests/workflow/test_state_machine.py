"""Every path through the synthesized state machine, with functions that return scripted outcomes."""

import io
import zipfile
from pathlib import Path
from typing import Any

import pytest

from local import deployment
from local.deployment import Deployment
from local.lifecycle import Running
from tests.workflow.machine import ExecutionResult, run

STACK = "brand-b"

SCRIPTED = """
import time

def handler(event, context):
    state = event["state"]
    answers = state["script"].get("{step}", [])
    answer = answers[0] if answers else {{"outcome": "unscripted"}}
    if answer == "raise":
        raise RuntimeError("an exception in {step}")
    if answer == "hang":
        time.sleep(30)
    return {{**state, "script": {{**state["script"], "{step}": answers[1:]}}, **answer}}
"""

GOOD: dict[str, list[Any]] = {
    "plan_run": [{"outcome": "planned"}],
    "start_export": [{"outcome": "ordered", "waitSeconds": 1}],
    "check_batch": [{"outcome": "finished"}],
    "copy_result": [{"outcome": "copied"}],
    "load_result": [{"outcome": "loaded"}],
    "close_run": [{"outcome": "succeeded"}],
}
CLOSED_AS_FAILED = {"outcome": "failed", "errorName": "ExportFailed", "reason": "OPENS: a sentence."}


@pytest.fixture(scope="module")
def scripted(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Deployment:
    """A second stack with scripted functions."""
    deployed = deployment.deploy(
        running.cloud,
        tmp_path_factory.mktemp(STACK),
        {"stackName": STACK, "customerId": "77", "bundle": "host"},
    )
    functions = running.cloud.client("lambda")
    for step in GOOD:
        name = f"{STACK}-{step.replace('_', '-')}"
        functions.update_function_configuration(
            FunctionName=name, Layers=[], Timeout=2 if step == "check_batch" else 30
        )
        functions.update_function_code(FunctionName=name, ZipFile=packed(step))
    return deployed


def packed(step: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for package in ("lambdas", "lambdas/handlers"):
            archive.writestr(f"{package}/__init__.py", "")
        archive.writestr(f"lambdas/handlers/{step}.py", SCRIPTED.format(step=step))
    return content.getvalue()


@pytest.fixture
def play(running: Running, scripted: Deployment) -> Any:
    def play(**script: list[Any]) -> ExecutionResult:
        given = {"exportType": "OPENS", "script": GOOD | script}
        return run(running.cloud, scripted.state_machine_arn, given)

    return play


def test_a_successful_run_visits_every_step_once(play: Any) -> None:
    ended = play()
    assert ended.status == "SUCCEEDED"
    steps = [name for name in ended.visited if not name.endswith("Outcome")]
    assert steps == [
        *("PlanRun", "StartExport", "WaitForBatch", "CheckBatch", "CopyResult", "LoadResult", "CloseRun", "Succeeded"),
    ]


@pytest.mark.parametrize(
    ("step", "answers", "waits", "task"),
    [
        ("plan_run", [{"outcome": "busy", "waitSeconds": 1}] * 2, "WaitForLease", "PlanRun"),
        ("start_export", [{"outcome": "rate_limited", "waitSeconds": 1}] * 2, "WaitToOrder", "StartExport"),
        ("start_export", [{"outcome": "order_unknown", "waitSeconds": 1}] * 2, "WaitToOrder", "StartExport"),
        ("check_batch", [{"outcome": "running", "waitSeconds": 1}] * 2, "WaitToCheck", "CheckBatch"),
        ("check_batch", [{"outcome": "rate_limited", "waitSeconds": 1}] * 2, "WaitToCheck", "CheckBatch"),
        ("copy_result", [{"outcome": "rate_limited", "waitSeconds": 1}] * 2, "WaitToCopy", "CopyResult"),
    ],
)
def test_temporary_outcomes_are_retried_after_a_wait(
    play: Any, step: str, answers: list[Any], waits: str, task: str
) -> None:
    ended = play(**{step: answers + GOOD[step]})
    assert ended.status == "SUCCEEDED"
    assert ended.visited.count(waits) == 2
    assert ended.visited.count(task) == 3


@pytest.mark.parametrize(("step", "task"), [("copy_result", "CopyResult"), ("load_result", "LoadResult")])
def test_partial_work_is_resumed_without_a_wait(play: Any, step: str, task: str) -> None:
    ended = play(**{step: [{"outcome": "partial"}] * 3 + GOOD[step]})
    assert ended.status == "SUCCEEDED"
    assert ended.visited.count(task) == 4


def test_an_adopted_batch_is_not_ordered_again(play: Any) -> None:
    ended = play(plan_run=[{"outcome": "adopted", "batchId": "1"}])
    assert ended.status == "SUCCEEDED"
    assert "StartExport" not in ended.visited
    assert "CheckBatch" in ended.visited


def test_a_landed_batch_is_loaded_without_a_copy(play: Any) -> None:
    ended = play(plan_run=[{"outcome": "landed", "batchId": "1"}])
    assert ended.status == "SUCCEEDED"
    assert not {"StartExport", "CheckBatch", "CopyResult"} & set(ended.visited)
    assert "LoadResult" in ended.visited


def test_a_duplicate_succeeds_without_another_step(play: Any) -> None:
    ended = play(plan_run=[{"outcome": "duplicate"}])
    assert ended.status == "SUCCEEDED"
    assert [name for name in ended.visited if not name.endswith("Outcome")] == ["PlanRun", "Duplicate"]


@pytest.mark.parametrize("outcome", ["failed", "overdue", "unmapped outcome"])
@pytest.mark.parametrize("step", [step for step in GOOD if step != "close_run"])
def test_every_other_outcome_closes_the_run_and_fails_it_with_a_reason(play: Any, step: str, outcome: str) -> None:
    ended = play(**{step: [{"outcome": outcome}], "close_run": [CLOSED_AS_FAILED]})
    assert (ended.status, ended.error, ended.cause) == ("FAILED", "ExportFailed", "OPENS: a sentence.")
    assert ended.visited[-3:] == ("CloseRun", "CloseRunOutcome", "Failed")


@pytest.mark.parametrize("step", [step for step in GOOD if step != "close_run"])
def test_an_exception_is_retried_twice_and_then_closes_the_run(play: Any, running: Running, step: str) -> None:
    ended = play(**{step: ["raise"], "close_run": [CLOSED_AS_FAILED]})
    assert (ended.status, ended.error) == ("FAILED", "ExportFailed")
    assert ended.visited[-3:] == ("CloseRun", "CloseRunOutcome", "Failed")
    history = running.cloud.client("stepfunctions").get_execution_history(executionArn=ended.arn, maxResults=1000)
    failures = [
        event for event in history["events"] if "Failed" in event["type"] and event["type"] != "ExecutionFailed"
    ]
    assert len([event for event in failures if f"an exception in {step}" in str(event)]) == 3


def test_a_task_that_times_out_closes_the_run(play: Any) -> None:
    ended = play(check_batch=["hang"], close_run=[CLOSED_AS_FAILED])
    assert (ended.status, ended.error) == ("FAILED", "ExportFailed")
    assert ended.visited[-3:] == ("CloseRun", "CloseRunOutcome", "Failed")


def test_a_run_that_cannot_be_closed_fails(play: Any) -> None:
    ended = play(close_run=["raise"])
    assert ended.status == "FAILED"
    assert "an exception in close_run" in (ended.cause or "")


def test_two_stacks_share_no_resources(running: Running, scripted: Deployment, tmp_path: Path) -> None:
    first, second = running.deployment, scripted
    assert first.bucket != second.bucket
    assert first.database != second.database
    assert first.state_machine_arn != second.state_machine_arn
    names = {bucket["Name"] for bucket in running.cloud.client("s3").list_buckets()["Buckets"]}
    assert {first.bucket, second.bucket} <= names
