"""Who may query: a managed policy with what an analyst needs in Athena's console and API, and no more."""

from aws_cdk import Aws, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from constructs import Construct

from infra.lake import Lake
from infra.nag_suppressions import accept, accept_wildcards
from infra.settings import Settings
from lambdas.lake.storage import keys

_QUERIES = (
    *("GetWorkGroup", "StartQueryExecution", "StopQueryExecution", "GetQueryExecution", "BatchGetQueryExecution"),
    *("ListQueryExecutions", "GetQueryResults", "GetQueryResultsStream", "GetQueryRuntimeStatistics"),
)
# What the console's tabs for saved queries and prepared statements call.
_SAVED_QUERIES = (
    *("CreateNamedQuery", "GetNamedQuery", "BatchGetNamedQuery", "ListNamedQueries", "UpdateNamedQuery"),
    *("DeleteNamedQuery", "CreatePreparedStatement", "GetPreparedStatement", "BatchGetPreparedStatement"),
    *("ListPreparedStatements", "UpdatePreparedStatement", "DeletePreparedStatement"),
)
_READ = (keys.CURATED, keys.REPORTS, keys.QUERY_RESULTS)
_LISTS = ("ListWorkGroups", "ListEngineVersions", "ListDataCatalogs")
_CATALOG = ("GetDataCatalog", "ListDatabases", "GetDatabase", "ListTableMetadata", "GetTableMetadata")


class Analysts(Construct):
    """The managed policy: attach it to a role, a group or a user."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: Settings, lake: Lake, key: kms.IKey | None
    ) -> None:
        super().__init__(scope, construct_id)
        statements = [
            *_athena(Stack.of(self), settings),
            *_glue(lake),
            *_objects(lake),
            *([_statement("UseKey", "kms", ("Decrypt", "GenerateDataKey"), key.key_arn)] if key else []),
        ]
        self.policy = iam.ManagedPolicy(
            self,
            "Policy",
            # IAM is global: the region keeps stacks of one name in two regions apart.
            managed_policy_name=f"{settings.stack_name}-{Aws.REGION}-analysts",
            # Never to be changed: CloudFormation makes a new policy then, which fails under a fixed name.
            description=f"Query the tables of {settings.database} in the workgroup {settings.stack_name}",
            statements=statements,
        )
        accept_wildcards(
            self.policy, statements, "Analysts read every table of this database, and write results of any name."
        )
        accept(self.policy, "AwsSolutions-IAM5[Resource::*]", "These three lists of Athena's know no resources.")


def _statement(sid: str, service: str, actions: tuple[str, ...], *resources: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        sid=sid, actions=[f"{service}:{action}" for action in actions], resources=list(resources)
    )


def _athena(stack: Stack, settings: Settings) -> list[iam.PolicyStatement]:
    workgroup = stack.format_arn(service="athena", resource="workgroup", resource_name=settings.stack_name)
    catalog = stack.format_arn(service="athena", resource="datacatalog", resource_name="AwsDataCatalog")
    return [
        _statement("UseWorkgroup", "athena", _QUERIES + _SAVED_QUERIES, workgroup),
        # Without these two the console shows no workgroup, no database and no table.
        _statement("OpenConsole", "athena", _LISTS, "*"),
        _statement("ShowCatalog", "athena", _CATALOG, catalog),
    ]


def _glue(lake: Lake) -> list[iam.PolicyStatement]:
    tables = ("GetTable", "GetTables", "GetPartition", "GetPartitions", "BatchGetPartition")
    # Athena looks into the database `default` before every query, whatever the query is about.
    databases = [*lake.catalog_arns, lake.glue_arn("database/default")]
    return [
        _statement("ReadCatalog", "glue", tables, *lake.catalog_arns),
        _statement("ListDatabases", "glue", ("GetDatabase", "GetDatabases"), *databases),
    ]


def _objects(lake: Lake) -> list[iam.PolicyStatement]:
    bucket, results = lake.bucket, lake.bucket.arn_for_objects(f"{keys.QUERY_RESULTS}*")
    listing = _statement("ListTablesReportsAndResults", "s3", ("ListBucket",), bucket.bucket_arn)
    # Of `raw/` and `quarantine/` not even the names.
    listing.add_condition("StringLike", {"s3:prefix": [f"{prefix}*" for prefix in _READ]})
    return [
        _statement(
            "ReadTablesAndReports",
            "s3",
            ("GetObject",),
            *(bucket.arn_for_objects(f"{prefix}*") for prefix in (keys.CURATED, keys.REPORTS)),
        ),
        _statement(
            "ReadAndWriteResults",
            "s3",
            ("GetObject", "PutObject", "AbortMultipartUpload", "ListMultipartUploadParts"),
            results,
        ),
        listing,
        _statement("FindBucket", "s3", ("GetBucketLocation", "ListBucketMultipartUploads"), bucket.bucket_arn),
    ]
