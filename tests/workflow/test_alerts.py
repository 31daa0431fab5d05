"""Every alert message, caused on the embedded cloud and read from a queue that subscribes to the topic."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.lifecycle import Running
from tests.workflow.inbox import Inbox, subscribe
from tests.workflow.machine import force_cold_start, run, token, wait
from tests.workflow.metrics import EmfMetrics, Line
from tests.workflow.test_real_runs import without_statement


@pytest.fixture(scope="module")
def subscribed(running: Running) -> Inbox:
    return subscribe(running.cloud, running.deployment.alert_topic_arn, "inbox")


@pytest.fixture
def inbox(subscribed: Inbox) -> Inbox:
    subscribed.read()
    return subscribed


def ledger(running: Running) -> Any:
    cloud = running.cloud
    resource = cloud.session.resource("dynamodb", endpoint_url=cloud.endpoint, verify=cloud.ca_bundle)
    return resource.Table(running.deployment.ledger_table)


def execute(running: Running, **given: Any) -> Any:
    return run(running.cloud, running.deployment.state_machine_arn, given)


def watch(running: Running, **event: Any) -> dict[str, Any]:
    """Invoke the watch as its rules do; return its response."""
    answer = running.cloud.client("lambda").invoke(
        FunctionName=f"{running.deployment.stack}-watch-runs", Payload=json.dumps(event)
    )
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    return found


def test_a_failed_run_sends_one_actionable_message(running: Running, inbox: Inbox) -> None:
    with token(running, "not-the-token"):
        ended = execute(running, exportType="LISTS", scheduledTime="2026-01-03T03:30:00Z")
    assert ended.status == "FAILED"
    message = inbox.find("LISTS failed")
    for words in ("night of 2026-01-03", "401", ended.arn, "start-execution", "docs/operations.md#badtoken"):
        assert words in message["Message"]
    assert "not-the-token" not in json.dumps(message)
    assert inbox.read() == []


def test_without_a_token_a_night_sends_one_message_for_all_exports(running: Running, inbox: Inbox) -> None:
    with token(running, "replace-me"):
        for export in ("LISTS", "PROJECTS"):
            ended = execute(running, exportType=export, scheduledTime="2026-01-04T03:30:00Z")
            assert (ended.status, ended.error) == ("FAILED", "TokenNotSet")
    messages = [inbox.find("TokenNotSet"), *inbox.read()]
    assert len(messages) == 1
    assert "put-secret-value" in messages[0]["Message"]


def test_a_stopped_run_is_notified_and_recorded_immediately_and_once(running: Running, inbox: Inbox) -> None:
    states = running.cloud.client("stepfunctions")
    machine = running.deployment.state_machine_arn
    arn = states.start_execution(stateMachineArn=machine, input='{"exportType": "MESSAGES"}')["executionArn"]
    states.stop_execution(executionArn=arn)
    wait(running.cloud, arn)

    message = inbox.find("MESSAGES failed (ABORTED)")
    for words in (arn, "start-execution", "docs/operations.md#aborted-or-timed_out"):
        assert words in message["Message"]
    assert arn not in watch(running)["closed"]
    assert not [body for body in inbox.read() if "failed" in body["Subject"]]
    table = ledger(running)
    records = [item for item in table.scan()["Items"] if item.get("execution_arn") == arn]
    assert [(record["outcome"], record["error"]) for record in records] == [("failed", "ABORTED")]
    key = f"curated/export_runs/{records[0]['run']}.json"
    assert running.cloud.client("s3").head_object(Bucket=running.deployment.bucket, Key=key)


def test_the_watch_notifies_of_a_run_whose_last_step_failed(running: Running, inbox: Inbox) -> None:
    with without_statement(running, "close-run", "UseLedger"):
        ended = execute(running, exportType="MESSAGES", period="LAST_DAY")
    force_cold_start(running, "close-run")
    assert (ended.status, ended.visited[-1]) == ("FAILED", "CloseRun")
    assert ended.arn in watch(running)["closed"]
    message = inbox.find("MESSAGES failed (NotClosed)")
    assert "docs/operations.md#any-other-error" in message["Message"]
    # Release its lease, so that no test waits for the takeover.
    ledger(running).delete_item(Key={"pk": "MESSAGES", "sk": "lease"})


def test_lost_days_are_notified_once(running: Running, inbox: Inbox) -> None:
    long_ago = datetime.now(UTC) - timedelta(days=20)
    last = {"ordered_at": long_ago.isoformat(timespec="microseconds"), "batch_id": "1", "schema_version": 1}
    ledger(running).put_item(Item={"pk": "HARD_BOUNCES", "sk": "watermark", **last})
    assert execute(running, exportType="HARD_BOUNCES").status == "SUCCEEDED"
    message = inbox.find("HARD_BOUNCES has lost days")["Message"]
    assert f"{long_ago:%Y-%m-%d}.." in message
    assert "docs/operations.md#lost-days" in message
    assert execute(running, exportType="HARD_BOUNCES").status == "SUCCEEDED"
    assert inbox.read() == []


def matches(running: Running, rule: str, event: dict[str, Any]) -> bool:
    """Whether a rule of the stack matches an event, by EventBridge's TestEventPattern."""
    events = running.cloud.client("events")
    pattern = events.describe_rule(Name=f"{running.deployment.stack}-{rule}")["EventPattern"]
    account = {"id": "6a7e8feb", "account": "000000000000", "time": "2026-01-03T03:30:00Z", "region": "eu-west-1"}
    whole = {"version": "0", **account, "resources": [], **event}
    return bool(events.test_event_pattern(EventPattern=pattern, Event=json.dumps(whole))["Result"])


def stack_event(stack_id: str, status: str) -> dict[str, Any]:
    """An event as CloudFormation documents it; the embedded cloud sends none, and clients may not."""
    return {
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "resources": [stack_id],
        "detail": {
            "stack-id": stack_id,
            "status-details": {"status": status, "status-reason": ""},
            "client-request-token": "",
        },
    }


def test_a_new_deployment_starts_the_freshness_clocks_at_zero(running: Running) -> None:
    stacks = running.cloud.client("cloudformation")
    stack_id = stacks.describe_stacks(StackName=running.deployment.stack)["Stacks"][0]["StackId"]
    created = stack_event(stack_id, "CREATE_COMPLETE")

    assert matches(running, "deployed", created)
    assert not matches(running, "deployed", stack_event(stack_id, "UPDATE_COMPLETE"))
    assert not matches(running, "deployed", stack_event(f"{stack_id}0", "CREATE_COMPLETE"))
    exports = watch(running, **created)["exports"]
    assert len(exports) == 10
    assert all(found["hoursSinceSuccess"] == found["daysMissing"] == 0 for found in exports.values())


@pytest.mark.parametrize(
    ("status", "is_notified"),
    [("TIMED_OUT", True), ("ABORTED", True), ("FAILED", False), ("SUCCEEDED", False), ("RUNNING", False)],
)
def test_the_rule_matches_documented_events_of_executions_that_could_not_close(
    running: Running, status: str, is_notified: bool
) -> None:
    """By documented events, since the embedded cloud does not time out executions."""
    machine = running.deployment.state_machine_arn
    execution = machine.replace(":stateMachine:", ":execution:") + ":night"
    detail = {"executionArn": execution, "stateMachineArn": machine, "name": "night", "status": status, "input": "{}"}
    event = {"source": "aws.states", "detail-type": "Step Functions Execution Status Change", "detail": detail}
    assert matches(running, "stopped", event) is is_notified
    other_machine = {**event, "detail": {**detail, "stateMachineArn": f"{machine}-of-others"}}
    assert not matches(running, "stopped", other_machine)


def test_the_nightly_summary_has_a_line_per_export_and_the_numbers_of_the_week(running: Running, inbox: Inbox) -> None:
    for export in ("CLICKS", "SENT"):
        assert execute(running, exportType=export, period="LAST_2_WEEKS").status == "SUCCEEDED"
    watch(running)
    exports, week = inbox.find("the night of")["Message"].split("\n\n")[1:]
    lines = {line.split()[0]: line for line in exports.splitlines()}
    assert len(lines) == 10
    assert "rows" in lines["CLICKS"]
    numbers = {line[:24].strip(): line[24:].split() for line in week.splitlines()[1:]}
    # What tests before this one have loaded decides whether all of it is known.
    assert len(numbers.keys() - {"sent, not all is known"}) == 8, week
    for name in ("sent", "clicked"):
        assert all(int(number.replace(",", "")) > 0 for number in numbers[name])


def test_calls_to_symplify_are_counted(running: Running) -> None:
    def counted() -> list[Line]:
        return [line for line in metrics.lines("check-batch") if "ApiCalls" in line]

    metrics = EmfMetrics(running.cloud, running.deployment.stack)
    before = len(counted())
    assert execute(running, exportType="PROJECTS", period="TODAY").status == "SUCCEEDED"
    lines = counted()
    assert len(lines) > before
    assert lines[-1]["RateLimited"] == [0]
