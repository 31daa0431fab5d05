"""The one SNS topic that all messages go to, and the e-mail addresses that get them."""

from aws_cdk import ArnFormat, Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sns_subscriptions as subscriptions
from constructs import Construct

from infra.nag_suppressions import accept
from infra.settings import Settings


class AlertTopic(Construct):
    """Failures, alarms, stopped executions and the nightly summary."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self.topic = sns.Topic(
            self,
            "Topic",
            topic_name=f"{settings.stack_name}-alerts",
            display_name=f"Symplify lake {settings.stack_name}",
            enforce_ssl=True,
            master_key=key,
        )
        alarms = Stack.of(self).format_arn(
            service="cloudwatch",
            resource="alarm",
            resource_name=f"{settings.stack_name}-*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self.topic.add_to_resource_policy(
            iam.PolicyStatement(
                sid="Alarms",
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[self.topic.topic_arn],
                # CloudWatch serves every account: only this one's alarms, and of them the stack's own.
                conditions={
                    "StringEquals": {"aws:SourceAccount": Aws.ACCOUNT_ID},
                    "ArnLike": {"aws:SourceArn": alarms},
                },
            )
        )
        accept(
            self.topic,
            "AwsSolutions-SNS2",
            "AWS's own key for SNS takes no messages from CloudWatch and EventBridge; kmsKeyArn sets one that does.",
        )
        for address in settings.alert_emails:
            subscription = self.topic.add_subscription(subscriptions.EmailSubscription(address))
            accept(
                subscription,
                "Serverless-SNSRedrivePolicy",
                "Nobody reads a queue of mails that did not arrive; alarms and runs show the same in AWS.",
                pack="Serverless",
            )
