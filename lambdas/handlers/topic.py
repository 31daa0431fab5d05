"""The alert topic."""

from functools import cache
from typing import Any

import boto3

from lambdas.handlers import clients
from lambdas.steps.alert import Message, Place


def publish(message: Message) -> None:
    """Send a message to all who subscribe."""
    _sns().publish(TopicArn=clients.settings().alert_topic_arn, Subject=message.subject, Message=message.text)


def place() -> Place:
    """Where this stack is found."""
    settings = clients.settings()
    return Place(settings.stack_name, settings.state_machine_arn)


@cache
def _sns() -> Any:
    """Made when it is first used: most runs have nothing to tell."""
    return boto3.client("sns")
