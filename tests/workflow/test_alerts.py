"""Every message and alarm is made to fire on the embedded cloud, and read from a queue that subscribes to the topic.

The emulator turns no log lines into metrics, so the functions' own lines are read from the log and put as metrics; it
evaluates an alarm when a metric is put, without looking at missing data.
"""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from local.lifecycle import Running
from tests.workflow.machine import run, start_anew, token, wait

_LIMIT_SECONDS = 30


@dataclass
class Inbox:
    """What subscribers of the topic get."""

    sqs: Any
    url: str

    def find(self, words: str) -> dict[str, str]:
        """Wait for the message with these words; every message that came before it is forgotten."""
        deadline = time.monotonic() + _LIMIT_SECONDS
        while time.monotonic() < deadline:
            for body in self.read():
                if words in body["Message"] or words in body.get("Subject", ""):
                    return body
            time.sleep(0.1)
        raise AssertionError(f"No message says '{words}'")

    def read(self) -> list[dict[str, str]]:
        """Take what is there."""
        bodies: list[dict[str, str]] = []
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


@pytest.fixture(scope="module")
def subscribed(running: Running) -> Inbox:
    sqs, sns = running.cloud.client("sqs"), running.cloud.client("sns")
    url = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    sns.subscribe(TopicArn=running.deployment.alert_topic_arn, Protocol="sqs", Endpoint=arn)
    return Inbox(sqs, url)


@pytest.fixture
def inbox(subscribed: Inbox) -> Inbox:
    subscribed.read()
    return subscribed


def execute(running: Running, **given: Any) -> Any:
    return run(running.cloud, running.deployment.state_machine_arn, given)


def watch(running: Running, **event: Any) -> dict[str, Any]:
    """Call the watch as its rules do, and return what it answers."""
    answer = running.cloud.client("lambda").invoke(
        FunctionName=f"{running.deployment.stack}-watch-runs", Payload=json.dumps(event)
    )
    found: dict[str, Any] = json.loads(answer["Payload"].read())
    assert "FunctionError" not in answer, found
    return found


@pytest.fixture
def metrics_of(running: Running) -> Callable[[str, str], list[dict[str, Any]]]:
    logs = running.cloud.client("logs")

    def read(function: str, name: str) -> list[dict[str, Any]]:
        """The lines of a function that carry a metric, the oldest first."""
        group = running.cloud.client("lambda").get_function_configuration(
            FunctionName=f"{running.deployment.stack}-{function}"
        )["LoggingConfig"]["LogGroup"]
        lines = []
        for page in logs.get_paginator("filter_log_events").paginate(logGroupName=group):
            for event in page["events"]:
                text = event["message"]
                if '"CloudWatchMetrics"' in text and f'"{name}"' in text:
                    lines.append(json.loads(text[text.index("{") :]))
        return lines

    return read


def test_a_failed_run_sends_one_message_that_a_person_can_act_on(running: Running, inbox: Inbox) -> None:
    with token(running, "not-the-token"):
        ended = execute(running, exportType="LISTS", scheduledTime="2026-01-03T03:30:00Z")
    assert ended.status == "FAILED"
    message = inbox.find("LISTS failed")
    for words in ("night of 2026-01-03", "401", ended.arn, "start-execution", "docs/operations.md#badtoken"):
        assert words in message["Message"]
    assert "not-the-token" not in json.dumps(message)
    assert inbox.read() == []


def test_before_the_token_has_come_a_night_sends_one_message_and_nothing_is_late(
    running: Running, inbox: Inbox
) -> None:
    with token(running, "replace-me"):
        for export in ("LISTS", "PROJECTS"):
            ended = execute(running, exportType=export, scheduledTime="2026-01-04T03:30:00Z")
            assert (ended.status, ended.error) == ("FAILED", "TokenNotSet")
    told = [inbox.find("TokenNotSet"), *inbox.read()]
    assert len(told) == 1
    assert "put-secret-value" in told[0]["Message"]


def test_a_stopped_run_is_told_of_recorded_by_the_watch_and_blocks_nobody(running: Running, inbox: Inbox) -> None:
    states = running.cloud.client("stepfunctions")
    machine = running.deployment.state_machine_arn
    arn = states.start_execution(stateMachineArn=machine, input='{"exportType": "MESSAGES"}')["executionArn"]
    states.stop_execution(executionArn=arn)
    wait(running.cloud, arn)

    message = inbox.find("ended from outside")
    assert arn in message["Message"]
    assert "docs/operations.md#aborted-or-timed_out" in message["Message"]

    assert arn in watch(running)["closed"]
    assert arn not in watch(running)["closed"]
    table = running.cloud.session.resource(
        "dynamodb", endpoint_url=running.cloud.endpoint, verify=running.cloud.ca_bundle
    ).Table(running.deployment.ledger_table)
    records = [item for item in table.scan()["Items"] if item.get("execution_arn") == arn]
    assert [(record["outcome"], record["error"]) for record in records] == [("failed", "ABORTED")]
    key = f"curated/export_runs/{records[0]['run']}.json"
    assert running.cloud.client("s3").head_object(Bucket=running.deployment.bucket, Key=key)


def test_a_new_deployment_starts_the_clocks_at_zero(running: Running) -> None:
    # The documented event; the emulator sends none.
    event = {
        "source": "aws.cloudformation",
        "detail-type": "CloudFormation Stack Status Change",
        "detail": {"status-details": {"status": "CREATE_COMPLETE"}},
    }
    exports = watch(running, **event)["exports"]
    assert len(exports) == 10
    assert all(found["hoursSinceSuccess"] == found["daysMissing"] == 0 for found in exports.values())


def put(running: Running, line: dict[str, Any], **changes: float) -> None:
    """Put what CloudWatch would make of a line of the log, some values changed, rolled up over all exports."""
    (described,) = line["_aws"]["CloudWatchMetrics"]
    assert ["service"] in described["Dimensions"]
    running.cloud.client("cloudwatch").put_metric_data(
        Namespace=described["Namespace"],
        MetricData=[
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": "service", "Value": line["service"]}],
                "Value": changes.get(metric["Name"], line[metric["Name"]][0]),
            }
            for metric in described["Metrics"]
        ],
    )


def state_of(running: Running, alarm: str) -> str:
    found = running.cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{running.deployment.stack}-{alarm}"])
    return str(found["MetricAlarms"][0]["StateValue"])


@pytest.mark.parametrize(
    ("function", "metric", "alarm", "limit"),
    [
        ("watch-runs", "HoursSinceSuccess", "freshness", 24),
        ("watch-runs", "DaysMissing", "reach", 9),
        ("watch-runs", "OddlyEmpty", "empty-export", 0),
        ("close-run", "RowsQuarantined", "quarantine", 10),
    ],
)
def test_an_alarm_of_the_lake_rings_on_the_functions_own_metric(
    running: Running,
    inbox: Inbox,
    metrics_of: Callable[[str, str], list[dict[str, Any]]],
    function: str,
    metric: str,
    alarm: str,
    limit: float,
) -> None:
    if function == "watch-runs":
        watch(running)
    else:
        execute(running, exportType="LISTS")
    line = metrics_of(function, metric)[-1]
    assert line["Export"] in ("LISTS", *watch(running)["exports"])
    put(running, line, **{metric: limit + 1})
    message = inbox.find(f"{running.deployment.stack}-{alarm}")
    assert state_of(running, alarm) == "ALARM"
    assert json.loads(message["Message"])["NewStateValue"] == "ALARM"


@pytest.mark.parametrize("kind", ["dead-letters", "errors-load-result", "throttles-load-result"])
def test_an_alarm_on_an_aws_metric_reaches_the_topic(running: Running, inbox: Inbox, kind: str) -> None:
    """The emulator counts neither errors nor queues; the template's definition is asserted in `tests/infra`."""
    alarm = f"{running.deployment.stack}-{kind}"
    cloudwatch = running.cloud.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="as a test asks")
    assert alarm in inbox.find(alarm)["Message"]
    cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="OK", StateReason="as a test asks")
    assert state_of(running, kind) == "OK"


@pytest.fixture
def with_summary(running: Running) -> Iterator[None]:
    functions = running.cloud.client("lambda")
    name = f"{running.deployment.stack}-watch-runs"
    before = functions.get_function_configuration(FunctionName=name)["Environment"]
    variables = before["Variables"] | {"NIGHTLY_SUMMARY": "true"}
    functions.update_function_configuration(FunctionName=name, Environment={"Variables": variables})
    yield
    functions.update_function_configuration(FunctionName=name, Environment=before)
    start_anew(running, "watch-runs")


def test_the_summary_is_a_mail_with_a_line_per_export(running: Running, inbox: Inbox, with_summary: None) -> None:
    assert execute(running, exportType="CLICKS", period="LAST_DAY").status == "SUCCEEDED"
    watch(running)
    message = inbox.find("the night of")
    lines = {line.split()[0]: line for line in message["Message"].splitlines()[2:]}
    assert len(lines) == 10
    assert "rows" in lines["CLICKS"]


def test_calls_to_symplify_are_counted(
    running: Running, metrics_of: Callable[[str, str], list[dict[str, Any]]]
) -> None:
    before = len(metrics_of("check-batch", "ApiCalls"))
    assert execute(running, exportType="PROJECTS", period="TODAY").status == "SUCCEEDED"
    lines = metrics_of("check-batch", "ApiCalls")
    assert len(lines) > before
    assert lines[-1]["RateLimited"] == [0]


def test_an_export_that_stays_away_is_late_in_the_watchs_own_numbers(running: Running) -> None:
    """The clock is set back, as if the type had been expected for two days, and nothing is known of it since."""
    table, name = running.cloud.client("dynamodb"), running.deployment.ledger_table
    export = "SENT"
    watch(running)
    known = table.query(
        TableName=name, KeyConditionExpression="pk = :pk", ExpressionAttributeValues={":pk": {"S": export}}
    )
    for item in known["Items"]:
        if item["sk"]["S"].startswith(("run#", "watermark")):
            table.delete_item(TableName=name, Key={"pk": item["pk"], "sk": item["sk"]})
    since = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="seconds")
    table.put_item(TableName=name, Item={"pk": {"S": export}, "sk": {"S": "clock"}, "since": {"S": since}})
    late = watch(running)["exports"][export]
    assert 47 < late["hoursSinceSuccess"] < 49
    assert execute(running, exportType=export, period="LAST_DAY").status == "SUCCEEDED"
    assert watch(running)["exports"][export]["hoursSinceSuccess"] < 1
