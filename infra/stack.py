"""The stack: who is given what. Each part is a construct in a file of its own."""

from aws_cdk import Annotations, CfnOutput, Stack, Tags
from constructs import Construct

from infra.access import Access
from infra.functions import Functions
from infra.lake import Lake
from infra.ledger import LedgerTable
from infra.schedule import Schedule
from infra.settings import EXAMPLE_CUSTOMER, Settings
from infra.token import TokenSecret
from infra.workflow import Workflow


class SymplifyLake(Stack):
    """Everything that one Symplify account needs."""

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
        lake = Lake(self, "Lake", settings)
        ledger = LedgerTable(self, "Ledger", settings, lake.removal)
        token = TokenSecret(self, "Token", settings)
        access = Access(self, settings, lake, ledger.table, token.arn)
        functions = Functions(self, "Functions", settings, access)
        workflow = Workflow(self, "Workflow", settings, functions.by_name)
        Schedule(self, "Schedule", settings, workflow.machine)
        for name, value in {
            "Bucket": lake.bucket.bucket_name,
            "Database": lake.database_name,
            "WorkGroup": settings.stack_name,
            "StateMachineArn": workflow.machine.state_machine_arn,
            "LedgerTable": ledger.table.table_name,
            "TokenSecretArn": token.arn,
            "AnalystPolicyArn": lake.analysts.managed_policy_arn,
        }.items():
            CfnOutput(self, name, value=value)
