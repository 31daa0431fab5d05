"""An alarm that is set by hand and heard by a subscriber of the topic."""

import json
from typing import Any

from local.problem import Problem
from local.smoke.trial import NotShown, Trial

_PATIENCE = 120.0
_REASON = "make smoke tries whether this alarm is heard. Nothing is wrong."


def set_and_heard(trial: Trial) -> str:
    """Set an alarm of the stack, and receive its message through a queue that subscribes for a minute."""
    alarms, topic = trial.deployed.client("cloudwatch"), trial.output("AlertTopicArn")
    alarm, before = _alarm(trial, alarms, topic)
    sqs, url = _subscribed(trial, topic)
    trial.undo.later(
        f"the state of {alarm}",
        lambda: alarms.set_alarm_state(AlarmName=alarm, StateValue=before, StateReason="make smoke has ended."),
    )
    alarms.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason=_REASON)

    def look() -> bool:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1).get("Messages", [])
        return any(_is_of(alarm, json.loads(one["Body"])["Message"]) for one in found)

    if not trial.until(look, _PATIENCE):
        raise Problem(
            f"{alarm} was set, and no message of it arrived within {_PATIENCE:.0f} s: look whether the policies of the "
            "topic, and of its key if it has one, let cloudwatch.amazonaws.com publish."
        )
    return f"{alarm} was set and its message received; subscribers got it too"


def _alarm(trial: Trial, alarms: Any, topic: str) -> tuple[str, str]:
    """An alarm that is quiet now and, if possible, sends no second message when it ends; and its state."""
    pages = alarms.get_paginator("describe_alarms").paginate(AlarmNamePrefix=f"{trial.deployed.stack.name}-")
    found = [
        one
        for page in pages
        for one in page.get("MetricAlarms", [])
        if topic in one.get("AlarmActions", []) and one["StateValue"] != "ALARM"
    ]
    if not found:
        raise NotShown("Every alarm of the stack rings already.")
    chosen = min(found, key=lambda one: (len(one.get("OKActions", [])), one["AlarmName"]))
    return chosen["AlarmName"], chosen["StateValue"]


def _subscribed(trial: Trial, topic: str) -> tuple[Any, str]:
    """A queue that receives what the topic sends; it goes when the step ends."""
    sqs, sns = trial.deployed.client("sqs"), trial.deployed.client("sns")
    url = sqs.create_queue(QueueName=f"{trial.deployed.stack.name}-{trial.name}")["QueueUrl"]
    trial.undo.later(f"the queue {url}", lambda: sqs.delete_queue(QueueUrl=url))
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {
        "Effect": "Allow",
        "Principal": {"Service": "sns.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": arn,
        "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
    }
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    made = sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, ReturnSubscriptionArn=True)["SubscriptionArn"]
    trial.undo.later(f"the subscription {made}", lambda: sns.unsubscribe(SubscriptionArn=made))
    return sqs, url


def _is_of(alarm: str, message: str) -> bool:
    try:
        told = json.loads(message)
    except ValueError:
        return False
    return isinstance(told, dict) and (told.get("AlarmName"), told.get("NewStateValue")) == (alarm, "ALARM")
