"""The DynamoDB table of claims, leases, orders, batches, watermarks and runs (`lambdas/ledger/`)."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.settings import Settings


class LedgerTable(Construct):
    """One table; only leases and claims have `expires_at`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        removal: RemovalPolicy,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.table: dynamodb.ITable
        name = f"{settings.stack_name}-ledger"
        if settings.use_existing_data:
            self.table = dynamodb.Table.from_table_name(self, "Table", name)
            return
        self.table = dynamodb.Table(
            self,
            "Table",
            table_name=name,
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            time_to_live_attribute="expires_at",
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED if key else None,
            encryption_key=key,
            removal_policy=removal,
        )
