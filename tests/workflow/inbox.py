"""A subscriber of a stack's alert topic: a queue that a test reads."""

import json
import time
from dataclasses import dataclass, field
from typing import Any

from local.cloud import Cloud
from tests.workflow.waiting import until

_LIMIT_SECONDS = 600


@dataclass
class Inbox:
    """What subscribers of the topic get."""

    sqs: Any
    url: str
    _kept: list[dict[str, str]] = field(default_factory=list)

    def find(self, words: str) -> dict[str, str]:
        """Wait for the message with these words, and take it; those that came beside it stay."""

        def look() -> dict[str, str] | None:
            self._kept = self.read()
            fitting = (body for body in self._kept if words in body["Message"] or words in body.get("Subject", ""))
            return next(fitting, None)

        found = until(look, f"No message says '{words}'")
        self._kept.remove(found)
        return found

    def states_of(self, *alarms: str) -> dict[str, str]:
        """Wait for a message of each of these alarms; return the states that they tell, by the alarms' names."""
        deadline, states = time.monotonic() + _LIMIT_SECONDS, dict[str, str]()
        while set(alarms) - set(states):
            assert time.monotonic() < deadline, f"No message of {set(alarms) - set(states)}"
            for body in self.read():
                if body["Message"].startswith('{"AlarmName"'):
                    alarm = json.loads(body["Message"])
                    states[alarm["AlarmName"]] = alarm["NewStateValue"]
        return {name: states[name] for name in alarms}

    def read(self) -> list[dict[str, str]]:
        """Take what is there."""
        bodies, self._kept = self._kept, []
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


def subscribe(cloud: Cloud, topic_arn: str, name: str) -> Inbox:
    """Make a queue of that name, and subscribe it to the topic."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    return Inbox(sqs, url)
