"""The stack: composition alone. Each part is a construct in its own file."""

from aws_cdk import Annotations, CfnOutput, Stack, Tags
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.access import Access
from infra.alerts import AlertTopic
from infra.analysts import Analysts
from infra.budget import Budget
from infra.dashboard import Dashboard
from infra.functions import REPORT, Functions
from infra.lake import Lake
from infra.ledger import LedgerTable
from infra.monitoring import Monitoring
from infra.morning_report import MorningReport
from infra.schedule import Schedule
from infra.settings import EXAMPLE_CUSTOMER, Settings
from infra.token import TokenSecret
from infra.workflow import Workflow


class SymplifyLake(Stack):
    """Everything for one Symplify account."""

    def __init__(self, scope: Construct, settings: Settings) -> None:
        super().__init__(
            scope,
            settings.stack_name,
            description="Symplify statistics in Athena every morning",
        )
        for name, value in settings.tags.items():
            Tags.of(self).add(name, value)
        if settings.customer_id == EXAMPLE_CUSTOMER:
            Annotations.of(self).add_warning_v2(
                "symplify-lake:example-customer",
                "The setting customerId in cdk.json is still the example: set it, and baseUrl, before you deploy.",
            )
        key = kms.Key.from_key_arn(self, "Key", settings.kms_key_arn) if settings.kms_key_arn else None
        lake = Lake(self, "Lake", settings, key)
        analysts = Analysts(self, "Analysts", settings, lake, key)
        ledger = LedgerTable(self, "Ledger", settings, lake.removal, key)
        token = TokenSecret(self, "Token", settings)
        alerts = AlertTopic(self, "Alerts", settings, key)
        access = Access(
            self, settings, lake, ledger=ledger.table, secret_arn=token.arn, topic_arn=alerts.topic.topic_arn
        )
        functions = Functions(self, "Functions", settings, access)
        workflow = Workflow(self, "Workflow", settings, functions.steps)
        schedule = Schedule(self, "Schedule", settings, workflow.machine, key)
        Monitoring(
            self,
            "Monitoring",
            settings,
            topic=alerts.topic,
            machine=workflow.machine,
            functions=functions.by_name,
            dead_letters=schedule.dead_letters,
        )
        if settings.morning_report:
            MorningReport(
                self,
                "MorningReport",
                settings,
                function=functions.by_name[REPORT],
                machine=workflow.machine,
                dead_letters=schedule.dead_letters,
            )
        Dashboard(self, "Dashboard", settings)
        if settings.monthly_budget_usd:
            Budget(self, "Budget", settings)
        for name, value in {
            "Bucket": lake.bucket.bucket_name,
            "Database": lake.database_name,
            "WorkGroup": settings.stack_name,
            "StateMachineArn": workflow.machine.state_machine_arn,
            "LedgerTable": ledger.table.table_name,
            "TokenSecretArn": token.arn,
            "AlertTopicArn": alerts.topic.topic_arn,
            "AnalystPolicyArn": analysts.policy.managed_policy_arn,
        }.items():
            CfnOutput(self, name, value=value)
