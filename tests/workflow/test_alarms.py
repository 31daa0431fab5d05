"""Each alarm is raised by its condition, and clears when the condition is gone.

The metrics are those that the real functions logged (`metrics.py`). Of AWS's metrics, the embedded cloud counts errors
and throttles, and a test puts the depth of the queue. `docs/operations.md` has the whole list.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from boto3.dynamodb.conditions import Key

from lambdas.vocabulary import EXPORT_TYPES
from tests.workflow.campaign import Stage
from tests.workflow.inbox import Inbox, subscribe
from tests.workflow.metrics import EmfMetrics, Line

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def subscribed(stage: Stage) -> Inbox:
    return subscribe(stage.running.cloud, stage.deployed.alert_topic_arn, "inbox-of-alarms")


@pytest.fixture
def inbox(subscribed: Inbox) -> Inbox:
    subscribed.read()
    return subscribed


@pytest.fixture
def metrics(stage: Stage) -> EmfMetrics:
    return EmfMetrics(stage.running.cloud, stage.deployed.stack)


def watch_lines(stage: Stage, metrics: EmfMetrics) -> list[Line]:
    """Invoke the watch; return the lines that it logs."""
    before = len(metrics.lines("watch-runs"))
    assert stage.watch() is None
    return metrics.lines_after("watch-runs", before)


def run_lines(stage: Stage, metrics: EmfMetrics, **given: Any) -> tuple[Any, list[Line]]:
    """Run an export; return the result, and the lines that its last step logs."""
    before = len(metrics.lines("close-run"))
    ended = stage.wait(stage.start(**given))
    return ended, metrics.lines_after("close-run", before)


def new_states(inbox: Inbox, stage: Stage, *alarms: str) -> set[str]:
    """The new states in the next messages of the alarms."""
    return set(inbox.states_of(*(f"{stage.deployed.stack}-{alarm}" for alarm in alarms)).values())


@contextmanager
def raised(inbox: Inbox, stage: Stage, metrics: EmfMetrics, bad: list[Line], *alarms: str) -> Iterator[None]:
    """Raise the alarms with bad metrics; the block removes the condition, then their period passes."""
    at = metrics.almost_a_period_ago(alarms[0])
    metrics.put(bad, *alarms, at=at)
    assert new_states(inbox, stage, *alarms) == {"ALARM"}
    yield
    metrics.wait_until_past(alarms[0], at)


def clear(inbox: Inbox, stage: Stage, metrics: EmfMetrics, good: list[Line], *alarms: str) -> bool:
    """Whether the metrics clear the alarms."""
    metrics.put(good, *alarms)
    states = {metrics.alarm(alarm)["StateValue"] for alarm in alarms}
    return new_states(inbox, stage, *alarms) == states == {"OK"}


def test_a_missing_export_raises_alarms_until_it_arrives(stage: Stage, inbox: Inbox, metrics: EmfMetrics) -> None:
    """The ledger is backdated: the type has been expected for twelve days without a success."""
    stage.watch()
    stage.clear_ledger("PROJECTS")
    since = (datetime.now(UTC) - timedelta(days=12)).isoformat(timespec="seconds")
    stage.ledger.put_item(Item={"pk": "PROJECTS", "sk": "clock", "since": since})
    with raised(inbox, stage, metrics, watch_lines(stage, metrics), "freshness", "reach"):
        assert stage.wait(stage.start(exportType="PROJECTS")).status == "SUCCEEDED"
    assert clear(inbox, stage, metrics, watch_lines(stage, metrics), "freshness", "reach")


def backdate_runs(stage: Stage, export: str) -> None:
    """Move the type's runs back by a day; runs of the same second have no order."""
    for item in stage.ledger.query(KeyConditionExpression=Key("pk").eq(export) & Key("sk").begins_with("run#"))[
        "Items"
    ]:
        stage.ledger.delete_item(Key={"pk": export, "sk": item["sk"]})
        times = {
            name: datetime.fromisoformat(str(item[name])) - timedelta(days=1) for name in ("started_at", "ended_at")
        }
        key = f"run#{times['started_at']:%Y%m%dT%H%M%S}-{str(item['run']).partition('-')[2]}"
        stage.ledger.put_item(Item={**item, "sk": key, **{name: time.isoformat() for name, time in times.items()}})


def test_an_unexpectedly_empty_export_raises_an_alarm_until_it_has_records(
    stage: Stage, inbox: Inbox, metrics: EmfMetrics, tmp_path: Path
) -> None:
    # The alarm covers all types: remains of other tests could raise it too.
    for export in EXPORT_TYPES:
        stage.clear_ledger(export)
    stage.watch()
    assert stage.wait(stage.start(exportType="SENT")).output["tally"]["read"] > 0
    backdate_runs(stage, "SENT")
    stage.next_result(tmp_path, "[]")
    assert stage.wait(stage.start(exportType="SENT")).output["tally"]["read"] == 0
    with raised(inbox, stage, metrics, watch_lines(stage, metrics), "empty-export"):
        backdate_runs(stage, "SENT")
        assert stage.wait(stage.start(exportType="SENT")).output["tally"]["read"] > 0
    assert clear(inbox, stage, metrics, watch_lines(stage, metrics), "empty-export")


def lines(good: int, bad: int) -> str:
    """Newline-delimited events, some of them truncated."""
    now = datetime.now(UTC)
    times = [(now - timedelta(seconds=number)).isoformat(timespec="milliseconds") for number in range(good)]
    # Ids that no other test's events have.
    records = [
        f'{{"eventId":{10**12 + number},"contactId":"k{number}","timestamp":"{time}"}}'
        for number, time in enumerate(times)
    ]
    return "\n".join([*records, *['{"eventId":'] * bad]) + "\n"


def test_rejected_records_beyond_the_minimum_raise_an_alarm_until_a_run_has_none(
    stage: Stage, inbox: Inbox, metrics: EmfMetrics, tmp_path: Path
) -> None:
    stage.clear_ledger("OPTOUTS")
    stage.next_result(tmp_path, lines(good=12_000, bad=11))
    ended, bad = run_lines(stage, metrics, exportType="OPTOUTS")
    assert (ended.status, ended.output["tally"]["quarantined"]) == ("SUCCEEDED", 11)
    with raised(inbox, stage, metrics, bad, "quarantine"):
        ended, good = run_lines(stage, metrics, exportType="OPTOUTS")
        assert ended.status == "SUCCEEDED"
    assert clear(inbox, stage, metrics, good, "quarantine")


def test_rejected_records_beyond_the_ratio_fail_the_run_with_a_message(
    stage: Stage, inbox: Inbox, tmp_path: Path
) -> None:
    stage.clear_ledger("OPTOUTS")
    stage.next_result(tmp_path, lines(good=100, bad=11))
    assert stage.wait(stage.start(exportType="OPTOUTS")).status == "FAILED"
    message = inbox.find("OPTOUTS failed (ExportFailed)")["Message"]
    for words in ("11 of 111 records are no JSON objects", "quarantineRatio", "load_result", "#exportfailed"):
        assert words in message
    found = stage.s3.list_objects_v2(Bucket=stage.deployed.bucket, Prefix="quarantine/optouts/")["Contents"]
    assert found
    assert stage.wait(stage.start(exportType="OPTOUTS")).status == "SUCCEEDED"


def test_an_event_in_the_dead_letter_queue_raises_an_alarm_until_the_queue_is_empty(
    stage: Stage, inbox: Inbox, metrics: EmfMetrics
) -> None:
    """The test sends the event and puts the queue's depth, since the embedded cloud does neither."""
    alarm, sqs = "dead-letters", stage.running.cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{stage.deployed.stack}-dead-letters")["QueueUrl"]

    def put_depth(at: datetime) -> None:
        names = ["ApproximateNumberOfMessages"]
        depth = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"][names[0]]
        dimensions = [{"Name": "QueueName", "Value": url.rsplit("/", 1)[-1]}]
        assert metrics.alarm(alarm)["Dimensions"] == dimensions
        metric = {"MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": dimensions, "Timestamp": at}
        cloudwatch = stage.running.cloud.client("cloudwatch")
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[{**metric, "Value": int(depth)}])

    sqs.send_message(QueueUrl=url, MessageBody='{"source": "aws.events"}')
    at = metrics.almost_a_period_ago(alarm)
    put_depth(at)
    assert new_states(inbox, stage, alarm) == {"ALARM"}
    sqs.purge_queue(QueueUrl=url)
    metrics.wait_until_past(alarm, at)
    put_depth(datetime.now(UTC))
    assert new_states(inbox, stage, alarm) == {"OK"}


def is_raised(inbox: Inbox, stage: Stage, alarm: str) -> bool:
    """Whether an alarm on a metric that the embedded cloud counts is raised.

    The cloud evaluates alarms when any metric is put, and counts all functions as one, so the alarm is reset first.
    Clearing is not tested: it takes the alarm's period of a quarter of an hour.
    """
    cloudwatch, name = stage.running.cloud.client("cloudwatch"), f"{stage.deployed.stack}-{alarm}"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="reset by a test")
    cloudwatch.put_metric_data(Namespace="evaluate", MetricData=[{"MetricName": "Any", "Value": 0}])
    return new_states(inbox, stage, alarm) == {"ALARM"}


@pytest.mark.parametrize(("function", "event", "times"), [("watch-runs", b"[]", 1), ("start-export", b"{}", 3)])
def test_a_failing_function_raises_an_alarm(
    stage: Stage, inbox: Inbox, function: str, event: bytes, times: int
) -> None:
    """By an invalid event; the alarm of the watch needs one error, that of a step three."""
    functions = stage.running.cloud.client("lambda")
    for _ in range(times):
        answer = functions.invoke(FunctionName=f"{stage.deployed.stack}-{function}", Payload=event)
        assert answer["FunctionError"]
    assert is_raised(inbox, stage, f"errors-{function}")


def test_a_throttled_function_raises_an_alarm(stage: Stage, inbox: Inbox) -> None:
    functions = stage.running.cloud.client("lambda")
    name = f"{stage.deployed.stack}-watch-runs"
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(functions.exceptions.TooManyRequestsException):
            functions.invoke(FunctionName=name)
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert is_raised(inbox, stage, "throttles-watch-runs")
