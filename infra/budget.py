"""A monthly budget of AWS, if the settings want one: it mails the alert addresses when the costs exceed it.

CloudFormation has no budgets in some regions, Stockholm among them, and the metric of charges is in us-east-1 alone. So
a custom resource of CDK makes the budget when the stack is deployed; it costs nothing.
"""

import hashlib
from typing import Any

from aws_cdk import Aws, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs
from aws_cdk import custom_resources as custom
from constructs import Construct

from infra.nag_suppressions import accept, accept_wildcards
from infra.settings import Settings

# The id that CDK gives to the one function of all its custom resources in a stack.
_PROVIDER = "AWS679f53fac002430cb0da5b7982bd2287"


class Budget(Construct):
    """What is spent and what is forecast for the month, each against the amount of the settings."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        budget = _budget(settings)
        subscribers = [{"SubscriptionType": "EMAIL", "Address": address} for address in settings.alert_emails]
        # A change makes a new budget before the old one goes, so each needs a name of its own.
        digest = hashlib.sha256(repr((budget, subscribers)).encode()).hexdigest()[:8]
        name = f"{settings.stack_name}-{Aws.REGION}-{digest}"
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"Makes and removes the budget of {settings.stack_name}",
        )
        log_group = logs.LogGroup(
            self, "Logs", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
        )
        log_group.grant_write(role)
        statement = iam.PolicyStatement(
            sid="ModifyBudget",
            actions=["budgets:ModifyBudget"],
            resources=[f"arn:{Aws.PARTITION}:budgets::{Aws.ACCOUNT_ID}:budget/{settings.stack_name}-{Aws.REGION}-*"],
        )
        resource = custom.AwsCustomResource(
            self,
            "Budget",
            # The first deployment makes it as an update would.
            on_update=custom.AwsSdkCall(
                service="Budgets",
                action="createBudget",
                parameters={
                    "AccountId": Aws.ACCOUNT_ID,
                    "Budget": {"BudgetName": name, **budget},
                    "NotificationsWithSubscribers": [
                        {
                            "Notification": {
                                "NotificationType": kind,
                                "ComparisonOperator": "GREATER_THAN",
                                "Threshold": 100,
                                "ThresholdType": "PERCENTAGE",
                            },
                            "Subscribers": subscribers,
                        }
                        for kind in ("ACTUAL", "FORECASTED")
                    ],
                },
                physical_resource_id=custom.PhysicalResourceId.of(name),
                # By its name it is the same budget, left by a deployment that was cut off.
                ignore_error_codes_matching="DuplicateRecordException",
            ),
            on_delete=custom.AwsSdkCall(
                service="Budgets",
                action="deleteBudget",
                parameters={"AccountId": Aws.ACCOUNT_ID, "BudgetName": name},
                ignore_error_codes_matching="NotFoundException",
            ),
            policy=custom.AwsCustomResourcePolicy.from_statements([statement]),
            role=role,
            log_group=log_group,
            install_latest_aws_sdk=False,
        )
        accept_wildcards(resource, [statement], "A changed budget has a new name, and the old one is removed after it.")
        provider = Stack.of(self).node.find_child(_PROVIDER)
        for finding in ("LambdaTracing", "LambdaDLQ", "LambdaDefaultMemorySize"):
            reason = "CDK's own function, which CloudFormation calls, waits for and reports on."
            accept(provider, f"Serverless-{finding}", reason, pack="Serverless")


def _budget(settings: Settings) -> dict[str, Any]:
    tag = settings.budget_tag
    return {
        "BudgetType": "COST",
        "TimeUnit": "MONTHLY",
        "BudgetLimit": {"Amount": str(settings.monthly_budget_usd), "Unit": "USD"},
        # The newer FilterExpression may be unknown to the version of AWS's library that Lambda has, which drops it.
        **({"CostFilters": {"TagKeyValue": [f"user:{tag}${settings.tags[tag]}"]}} if tag else {}),
    }
