"""The alert topic."""

from lambdas.handlers import clients
from lambdas.steps.alert import Message, Place


def publish(message: Message) -> None:
    """Send a message to all subscribers."""
    clients.sns().publish(TopicArn=clients.settings().alert_topic_arn, Subject=message.subject, Message=message.text)


def place() -> Place:
    """The names by which people find this stack."""
    settings = clients.settings()
    return Place(settings.stack_name, settings.state_machine_arn)
