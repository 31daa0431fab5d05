"""A queue that subscribes to a stack's alert topic."""

import json
from dataclasses import dataclass, field
from typing import Any

from local.cloud import Cloud
from tests.workflow.waiting import until


@dataclass
class Inbox:
    """The messages that subscribers of the topic receive."""

    sqs: Any
    url: str
    _unread: list[dict[str, str]] = field(default_factory=list)

    def find(self, words: str) -> dict[str, str]:
        """Wait for a message with these words and take it; others stay unread."""

        def look() -> dict[str, str] | None:
            self._unread = self.read()
            matching = (body for body in self._unread if words in body["Message"] or words in body.get("Subject", ""))
            return next(matching, None)

        found = until(look, f"No message contains '{words}'")
        self._unread.remove(found)
        return found

    def states_of(self, *alarms: str) -> dict[str, str]:
        """Wait for a message of each of these alarms; return the new states by alarm."""
        states = dict[str, str]()

        def look() -> bool:
            for body in self.read():
                if body["Message"].startswith('{"AlarmName"'):
                    alarm = json.loads(body["Message"])
                    states[alarm["AlarmName"]] = alarm["NewStateValue"]
            return states.keys() >= set(alarms)

        until(look, f"No message of each of {', '.join(alarms)}")
        return {name: states[name] for name in alarms}

    def read(self) -> list[dict[str, str]]:
        """Take all messages that have arrived."""
        bodies, self._unread = self._unread, []
        while found := self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages"):
            for message in found:
                bodies.append(json.loads(message["Body"]))
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return bodies


def subscribe(cloud: Cloud, topic_arn: str, name: str) -> Inbox:
    """Create a queue and subscribe it to the topic."""
    sqs = cloud.client("sqs")
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    statement = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "sqs:SendMessage"}
    policy = {"Version": "2012-10-17", "Statement": [{**statement, "Resource": arn}]}
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": json.dumps(policy)})
    cloud.client("sns").subscribe(TopicArn=topic_arn, Protocol="sqs", Endpoint=arn)
    return Inbox(sqs, url)
