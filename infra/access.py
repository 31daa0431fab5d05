"""What each function may do: one statement per purpose, on exactly the resources that it needs."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, Stack
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3

from infra.lake import Lake
from infra.settings import Settings
from lambdas.lake.storage import keys

# The steps that call Symplify.
_CALLERS = ("start_export", "check_batch", "copy_result")


class Access:
    """The statements of every function's role."""

    def __init__(
        self,
        stack: Stack,
        settings: Settings,
        lake: Lake,
        *,
        ledger: dynamodb.ITable,
        secret_arn: str,
        topic_arn: str,
    ) -> None:
        self.bucket: s3.IBucket = lake.bucket
        self.ledger = ledger
        self.secret_arn = secret_arn
        self.topic_arn = topic_arn
        # By its name, since the functions are created before the machine that calls them.
        self.machine_arn = stack.format_arn(
            service="states",
            resource="stateMachine",
            resource_name=settings.stack_name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        self._key_arn = settings.kms_key_arn
        self._limits_calls = settings.calls_per_minute > 0
        alert = iam.PolicyStatement(sid="PublishAlerts", actions=["sns:Publish"], resources=[topic_arn])
        executions = stack.format_arn(
            service="states",
            resource="execution",
            resource_name=f"{settings.stack_name}:*",
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        token = [
            iam.PolicyStatement(sid="ReadToken", actions=["secretsmanager:GetSecretValue"], resources=[secret_arn])
        ]
        if settings.token_secret_key_arn:
            key = settings.token_secret_key_arn
            token.append(iam.PolicyStatement(sid="DecryptToken", actions=["kms:Decrypt"], resources=[key]))
        # Without ListBucket, S3 answers 403 for a missing object, and "has this landed?" would fail.
        listing = iam.PolicyStatement(sid="ListBucket", actions=["s3:ListBucket"], resources=[self.bucket.bucket_arn])
        self._statements: dict[str, Sequence[iam.PolicyStatement]] = {
            "plan_run": (
                self._ledger("GetItem", "PutItem", "UpdateItem", "Query"),
                iam.PolicyStatement(sid="SeeOtherRuns", actions=["states:DescribeExecution"], resources=[executions]),
            ),
            "start_export": (self._ledger("GetItem", "PutItem"), *token),
            "check_batch": token,
            "copy_result": (
                self._ledger("GetItem", "UpdateItem"),
                *token,
                listing,
                self._objects(
                    "WriteRaw", keys.RAW, "GetObject", "PutObject", "ListMultipartUploadParts", "AbortMultipartUpload"
                ),
            ),
            "load_result": (
                self._ledger("GetItem", "UpdateItem", "Query"),
                listing,
                self._objects("ReadRaw", keys.RAW, "GetObject"),
                self._objects(
                    "WriteTables", keys.CURATED, "GetObject", "PutObject", "DeleteObject", "AbortMultipartUpload"
                ),
                self._objects("WriteQuarantine", keys.QUARANTINE, "PutObject", "AbortMultipartUpload"),
                iam.PolicyStatement(
                    sid="PublishTables",
                    actions=[
                        "glue:GetTable",
                        "glue:CreateTable",
                        "glue:UpdateTable",
                        "glue:GetPartitions",
                        "glue:BatchCreatePartition",
                        "glue:BatchUpdatePartition",
                        "glue:DeletePartition",
                        # A rebuild that finds days where there were none, or the reverse, makes the table again.
                        "glue:DeleteTable",
                    ],
                    resources=lake.catalog_arns,
                ),
            ),
            "close_run": (
                self._ledger("GetItem", "PutItem", "UpdateItem", "DeleteItem"),
                listing,
                iam.PolicyStatement(
                    sid="ListUploads", actions=["s3:ListBucketMultipartUploads"], resources=[self.bucket.bucket_arn]
                ),
                self._objects("AbortUploads", keys.RAW, "AbortMultipartUpload"),
                self._objects("WriteRunRecordAndVacuum", keys.CURATED, "PutObject", "DeleteObject"),
                iam.PolicyStatement(
                    sid="PublishRunRecordsAndViews",
                    actions=[
                        "glue:GetTable",
                        # The views are made of all tables.
                        "glue:GetTables",
                        "glue:CreateTable",
                        "glue:UpdateTable",
                        # Of the view that a setting has switched off.
                        "glue:DeleteTable",
                        "glue:GetPartitions",
                    ],
                    resources=lake.catalog_arns,
                ),
                alert,
            ),
            "watch_runs": (
                self._ledger("GetItem", "PutItem", "DeleteItem", "Query"),
                iam.PolicyStatement(sid="ListRuns", actions=["states:ListExecutions"], resources=[self.machine_arn]),
                iam.PolicyStatement(sid="SeeRuns", actions=["states:DescribeExecution"], resources=[executions]),
                self._objects("WriteRunRecord", keys.table_prefix(keys.RUNS_TABLE), "PutObject"),
                iam.PolicyStatement(
                    sid="PublishRunRecords",
                    actions=["glue:GetTable", "glue:CreateTable", "glue:UpdateTable"],
                    resources=lake.catalog_arns,
                ),
                alert,
                *(self._queries(stack, settings, lake) if settings.nightly_summary else ()),
            ),
            "write_report": (
                self._ledger("Query"),
                iam.PolicyStatement(sid="ListRuns", actions=["states:ListExecutions"], resources=[self.machine_arn]),
                *self._queries(stack, settings, lake),
                self._objects("WriteReports", keys.REPORTS, "PutObject"),
            ),
        }

    def statements(self, function: str) -> Sequence[iam.PolicyStatement]:
        """The statements of a function's role."""
        statements = self._statements[function]
        if self._limits_calls and function in _CALLERS:
            count = iam.PolicyStatement(
                sid="CountCalls",
                actions=["dynamodb:GetItem", "dynamodb:PutItem"],
                resources=[self.ledger.table_arn],
                # Of the ledger the part alone that all export types share.
                conditions={"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["account"]}},
            )
            statements = (*statements, count)
        if not self._key_arn:
            return statements
        # DynamoDB needs all of these for a table under such a key, where its documentation says GenerateDataKey* and
        # ReEncrypt*; the other services need the first two. Pairs of keys are for other purposes.
        actions = (
            *("Decrypt", "GenerateDataKey", "GenerateDataKeyWithoutPlaintext"),
            *("Encrypt", "ReEncryptFrom", "ReEncryptTo", "DescribeKey"),
        )
        use = iam.PolicyStatement(sid="UseKey", actions=[f"kms:{name}" for name in actions], resources=[self._key_arn])
        return (*statements, use)

    def _queries(self, stack: Stack, settings: Settings, lake: Lake) -> Sequence[iam.PolicyStatement]:
        """What Athena does with the rights of whoever asks it."""
        workgroup = stack.format_arn(service="athena", resource="workgroup", resource_name=settings.stack_name)
        results = ("GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts")
        # Athena looks into the database `default` before every query.
        databases = [*lake.catalog_arns, lake.glue_arn("database/default")]
        bucket = self.bucket.bucket_arn
        return (
            iam.PolicyStatement(sid="AskAthena", actions=["athena:StartQueryExecution"], resources=[workgroup]),
            iam.PolicyStatement(
                sid="ReadCatalog", actions=["glue:GetTable", "glue:GetPartitions"], resources=lake.catalog_arns
            ),
            iam.PolicyStatement(sid="FindDatabase", actions=["glue:GetDatabase"], resources=databases),
            self._objects("ReadTables", keys.CURATED, "GetObject"),
            self._objects("WriteResults", keys.QUERY_RESULTS, *results),
            iam.PolicyStatement(
                sid="FindBucket", actions=["s3:GetBucketLocation", "s3:ListBucket"], resources=[bucket]
            ),
        )

    def _ledger(self, *actions: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid="UseLedger",
            actions=[f"dynamodb:{action}" for action in actions],
            resources=[self.ledger.table_arn],
        )

    def _objects(self, sid: str, prefix: str, *actions: str) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            sid=sid,
            actions=[f"s3:{action}" for action in actions],
            resources=[self.bucket.arn_for_objects(f"{prefix}*")],
        )
