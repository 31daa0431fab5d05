"""Each alarm rings because its condition is there, and is quiet again when it is gone.

The figures are those that the real functions logged (`figures.py`); for AWS's own metrics the embedded cloud counts
errors and throttles itself, and the depth of a queue is put as AWS would. `docs/operations.md` has the whole list.
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
from tests.workflow.figures import Figures, Line
from tests.workflow.inbox import Inbox, subscribe

pytestmark = pytest.mark.enable_socket


@pytest.fixture(scope="module")
def subscribed(stage: Stage) -> Inbox:
    return subscribe(stage.running.cloud, stage.deployed.alert_topic_arn, "inbox-of-alarms")


@pytest.fixture
def inbox(subscribed: Inbox) -> Inbox:
    subscribed.read()
    return subscribed


@pytest.fixture
def figures(stage: Stage) -> Figures:
    return Figures(stage.running.cloud, stage.deployed.stack)


def watched(stage: Stage, figures: Figures) -> list[Line]:
    """What the watch logs when it is called now."""
    before = len(figures.lines("watch-runs"))
    assert stage.watch() is None
    return figures.lines_after("watch-runs", before)


def closed(stage: Stage, figures: Figures, **given: Any) -> tuple[Any, list[Line]]:
    """A run, and what its last step logs."""
    before = len(figures.lines("close-run"))
    ended = stage.wait(stage.start(**given))
    return ended, figures.lines_after("close-run", before)


def told(inbox: Inbox, stage: Stage, *alarms: str) -> set[str]:
    """The states that the next messages of the alarms tell."""
    return set(inbox.states_of(*(f"{stage.deployed.stack}-{alarm}" for alarm in alarms)).values())


@contextmanager
def ringing(inbox: Inbox, stage: Stage, figures: Figures, bad: list[Line], *alarms: str) -> Iterator[None]:
    """Let the figures ring the alarms; when the block has taken the condition away, their night is over."""
    at = figures.almost_a_period_ago(alarms[0])
    figures.put(bad, at)
    assert told(inbox, stage, *alarms) == {"ALARM"}
    yield
    figures.wait_until_past(alarms[0], at)


def ends(inbox: Inbox, stage: Stage, figures: Figures, good: list[Line], *alarms: str) -> bool:
    """Whether the figures end the alarms."""
    figures.put(good)
    states = {figures.alarm(alarm)["StateValue"] for alarm in alarms}
    return told(inbox, stage, *alarms) == states == {"OK"}


def test_an_export_that_stays_away_rings_until_it_has_come(stage: Stage, inbox: Inbox, figures: Figures) -> None:
    """The days pass in the ledger: the type has been expected for so long, and nothing has come."""
    stage.watch()
    stage.forget("PROJECTS")
    since = (datetime.now(UTC) - timedelta(days=12)).isoformat(timespec="seconds")
    stage.ledger.put_item(Item={"pk": "PROJECTS", "sk": "clock", "since": since})
    with ringing(inbox, stage, figures, watched(stage, figures), "freshness", "reach"):
        assert stage.wait(stage.start(exportType="PROJECTS")).status == "SUCCEEDED"
    assert ends(inbox, stage, figures, watched(stage, figures), "freshness", "reach")


def a_day_passes(stage: Stage, export: str) -> None:
    """Date the type's runs a day back; those of one second would have no order."""
    for item in stage.ledger.query(KeyConditionExpression=Key("pk").eq(export) & Key("sk").begins_with("run#"))[
        "Items"
    ]:
        stage.ledger.delete_item(Key={"pk": export, "sk": item["sk"]})
        times = {
            name: datetime.fromisoformat(str(item[name])) - timedelta(days=1) for name in ("started_at", "ended_at")
        }
        key = f"run#{times['started_at']:%Y%m%dT%H%M%S}-{str(item['run']).partition('-')[2]}"
        stage.ledger.put_item(Item={**item, "sk": key, **{name: time.isoformat() for name, time in times.items()}})


def test_an_export_that_brings_nothing_where_it_always_did_rings_until_it_brings_something(
    stage: Stage, inbox: Inbox, figures: Figures, tmp_path: Path
) -> None:
    # The alarm looks at all types: what another test has left of one may ring it as well.
    for export in EXPORT_TYPES:
        stage.forget(export)
    stage.watch()
    assert stage.wait(stage.start(exportType="SENT")).output["tally"]["read"] > 0
    a_day_passes(stage, "SENT")
    stage.next_result(tmp_path, "[]")
    assert stage.wait(stage.start(exportType="SENT")).output["tally"]["read"] == 0
    with ringing(inbox, stage, figures, watched(stage, figures), "empty-export"):
        a_day_passes(stage, "SENT")
        assert stage.wait(stage.start(exportType="SENT")).output["tally"]["read"] > 0
    assert ends(inbox, stage, figures, watched(stage, figures), "empty-export")


def lines(good: int, bad: int) -> str:
    """Newline-delimited events of which some are cut."""
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    records = [f'{{"eventId":{number},"contactId":"k{number}","timestamp":"{now}"}}' for number in range(good)]
    return "\n".join([*records, *['{"eventId":'] * bad]) + "\n"


def test_more_unreadable_records_than_the_minimum_ring_until_a_run_has_none(
    stage: Stage, inbox: Inbox, figures: Figures, tmp_path: Path
) -> None:
    stage.forget("OPTOUTS")
    stage.next_result(tmp_path, lines(good=12_000, bad=11))
    ended, bad = closed(stage, figures, exportType="OPTOUTS")
    assert (ended.status, ended.output["tally"]["quarantined"]) == ("SUCCEEDED", 11)
    with ringing(inbox, stage, figures, bad, "quarantine"):
        ended, good = closed(stage, figures, exportType="OPTOUTS")
        assert ended.status == "SUCCEEDED"
    assert ends(inbox, stage, figures, good, "quarantine")


def test_more_unreadable_records_than_the_share_fail_the_run_whose_message_says_so(
    stage: Stage, inbox: Inbox, tmp_path: Path
) -> None:
    stage.forget("OPTOUTS")
    stage.next_result(tmp_path, lines(good=100, bad=11))
    assert stage.wait(stage.start(exportType="OPTOUTS")).status == "FAILED"
    message = inbox.find("OPTOUTS failed (ExportFailed)")["Message"]
    for words in ("11 of 111 records are no JSON objects", "quarantineRatio", "load_result", "#exportfailed"):
        assert words in message
    found = stage.s3.list_objects_v2(Bucket=stage.deployed.bucket, Prefix="quarantine/optouts/")["Contents"]
    assert found
    assert stage.wait(stage.start(exportType="OPTOUTS")).status == "SUCCEEDED"


def test_an_event_in_the_dead_letter_queue_rings_until_the_queue_is_empty(
    stage: Stage, inbox: Inbox, figures: Figures
) -> None:
    """What EventBridge would leave there; the embedded cloud leaves nothing, and sends no queue's depth."""
    alarm, sqs = "dead-letters", stage.running.cloud.client("sqs")
    url = sqs.get_queue_url(QueueName=f"{stage.deployed.stack}-dead-letters")["QueueUrl"]

    def put_depth(at: datetime) -> None:
        asked = ["ApproximateNumberOfMessages"]
        depth = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=asked)["Attributes"][asked[0]]
        dimensions = [{"Name": "QueueName", "Value": url.rsplit("/", 1)[-1]}]
        assert figures.alarm(alarm)["Dimensions"] == dimensions
        metric = {"MetricName": "ApproximateNumberOfMessagesVisible", "Dimensions": dimensions, "Timestamp": at}
        cloudwatch = stage.running.cloud.client("cloudwatch")
        cloudwatch.put_metric_data(Namespace="AWS/SQS", MetricData=[{**metric, "Value": int(depth)}])

    sqs.send_message(QueueUrl=url, MessageBody='{"source": "aws.events"}')
    at = figures.almost_a_period_ago(alarm)
    put_depth(at)
    assert told(inbox, stage, alarm) == {"ALARM"}
    sqs.purge_queue(QueueUrl=url)
    figures.wait_until_past(alarm, at)
    put_depth(datetime.now(UTC))
    assert told(inbox, stage, alarm) == {"OK"}


def has_rung(inbox: Inbox, stage: Stage, alarm: str) -> bool:
    """Whether an alarm on what the embedded cloud has counted rings.

    It looks when somebody puts any metric, and counts all functions' figures as one, so what earlier tests did to the
    alarm is forgotten first. It cannot be seen to end: that takes the alarm's quarter of an hour.
    """
    cloudwatch, name = stage.running.cloud.client("cloudwatch"), f"{stage.deployed.stack}-{alarm}"
    cloudwatch.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="as a test asks")
    cloudwatch.put_metric_data(Namespace="a-look", MetricData=[{"MetricName": "Any", "Value": 0}])
    return told(inbox, stage, alarm) == {"ALARM"}


@pytest.mark.parametrize(("function", "event", "times"), [("watch-runs", b"[]", 1), ("start-export", b"{}", 3)])
def test_a_function_that_fails_rings(stage: Stage, inbox: Inbox, function: str, event: bytes, times: int) -> None:
    """By an event that no rule and no machine sends; the watch has one try, a step has three."""
    functions = stage.running.cloud.client("lambda")
    for _ in range(times):
        answer = functions.invoke(FunctionName=f"{stage.deployed.stack}-{function}", Payload=event)
        assert answer["FunctionError"]
    assert has_rung(inbox, stage, f"errors-{function}")


def test_a_function_for_which_the_account_has_no_room_rings(stage: Stage, inbox: Inbox) -> None:
    functions = stage.running.cloud.client("lambda")
    name = f"{stage.deployed.stack}-watch-runs"
    functions.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        with pytest.raises(functions.exceptions.TooManyRequestsException):
            functions.invoke(FunctionName=name)
    finally:
        functions.delete_function_concurrency(FunctionName=name)
    assert has_rung(inbox, stage, "throttles-watch-runs")
