"""The team's side of the data: the bucket, the Glue database and the Athena workgroup."""

from aws_cdk import ArnFormat, Aws, Duration, RemovalPolicy, Stack
from aws_cdk import aws_athena as athena
from aws_cdk import aws_glue as glue
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infra.nag_suppressions import accept
from infra.settings import Settings
from lambdas.lake.storage import keys

_GIB = 1 << 30
_TLS = 1.2


class Lake(Construct):
    """Bucket, database and workgroup. The load creates and changes the tables; the deployment never does."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings, key: kms.IKey | None) -> None:
        super().__init__(scope, construct_id)
        self._key = key
        # Data outlives everything but a failed creation: what that left would make each repetition fail.
        self.removal = (
            RemovalPolicy.DESTROY if settings.delete_data_with_stack else RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE
        )
        self.database_name = settings.database
        if settings.use_existing_data:
            self.bucket = self._existing_bucket(settings)
        else:
            self.bucket = self._bucket(settings)
            self._make_database(settings)
        self.workgroup = self._workgroup(settings)

    @property
    def catalog_arns(self) -> list[str]:
        """The ARNs of the database and its tables; Glue checks the catalog's too."""
        return [
            self.glue_arn("catalog"),
            self.glue_arn(f"database/{self.database_name}"),
            self.glue_arn(f"table/{self.database_name}/*"),
        ]

    def glue_arn(self, resource: str) -> str:
        """The ARN of something in the account's Data Catalog, such as `database/NAME`."""
        return Stack.of(self).format_arn(service="glue", resource=resource, arn_format=ArnFormat.NO_RESOURCE_NAME)

    def _make_database(self, settings: Settings) -> None:
        database = glue.CfnDatabase(
            self,
            "Database",
            catalog_id=Aws.ACCOUNT_ID,
            database_name=settings.database,
            database_input=glue.CfnDatabase.DatabaseInputProperty(
                name=settings.database, description=f"Symplify statistics ({settings.stack_name})"
            ),
        )
        database.apply_removal_policy(self.removal)

    def _existing_bucket(self, settings: Settings) -> s3.IBucket:
        """The bucket of an earlier stack, with the same policy, since the bucket's own went with that stack."""
        bucket = s3.Bucket.from_bucket_name(self, "Bucket", _bucket_name(settings))
        policy = s3.BucketPolicy(self, "BucketPolicy", bucket=bucket)
        for condition in ({"Bool": {"aws:SecureTransport": "false"}}, {"NumericLessThan": {"s3:TlsVersion": _TLS}}):
            policy.document.add_statements(
                iam.PolicyStatement(
                    effect=iam.Effect.DENY,
                    principals=[iam.AnyPrincipal()],
                    actions=["s3:*"],
                    resources=[bucket.bucket_arn, bucket.arn_for_objects("*")],
                    conditions=condition,
                )
            )
        accept(
            policy, "AwsSolutions-S10", "It does, but the check does not recognise a name with the account's number."
        )
        return bucket

    def _bucket(self, settings: Settings) -> s3.IBucket:
        bucket = s3.Bucket(
            self,
            "Bucket",
            bucket_name=_bucket_name(settings),
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=_TLS,
            encryption=s3.BucketEncryption.KMS if self._key else s3.BucketEncryption.S3_MANAGED,
            encryption_key=self._key,
            # With a bucket key, one call to KMS serves many objects.
            bucket_key_enabled=True if self._key else None,
            versioned=True,
            removal_policy=self.removal,
            # CloudFormation deletes no bucket that has an object or a version left.
            auto_delete_objects=settings.delete_data_with_stack,
            lifecycle_rules=[
                s3.LifecycleRule(id="raw", prefix=keys.RAW, expiration=Duration.days(settings.raw_retention_days)),
                s3.LifecycleRule(
                    id="quarantine", prefix=keys.QUARANTINE, expiration=Duration.days(settings.raw_retention_days)
                ),
                s3.LifecycleRule(
                    id="query-results",
                    prefix=keys.QUERY_RESULTS,
                    expiration=Duration.days(settings.query_result_retention_days),
                ),
                # A superseded file is deleted by the load, and is then a noncurrent version.
                s3.LifecycleRule(
                    id="superseded-and-noncurrent",
                    noncurrent_version_expiration=Duration.days(settings.noncurrent_retention_days),
                    expired_object_delete_marker=True,
                ),
                s3.LifecycleRule(id="unfinished-uploads", abort_incomplete_multipart_upload_after=Duration.days(2)),
            ],
        )
        accept(
            bucket,
            "AwsSolutions-S1",
            "Access logs would need a second bucket for a nightly job; CloudTrail's data events show the same.",
        )
        return bucket

    def _workgroup(self, settings: Settings) -> athena.CfnWorkGroup:
        return athena.CfnWorkGroup(
            self,
            "WorkGroup",
            name=settings.stack_name,
            description=f"Queries of {settings.database}",
            recursive_delete_option=True,
            work_group_configuration=athena.CfnWorkGroup.WorkGroupConfigurationProperty(
                enforce_work_group_configuration=True,
                publish_cloud_watch_metrics_enabled=True,
                bytes_scanned_cutoff_per_query=settings.athena_scan_limit_gb * _GIB,
                result_configuration=athena.CfnWorkGroup.ResultConfigurationProperty(
                    output_location=self.bucket.s3_url_for_object(keys.QUERY_RESULTS),
                    encryption_configuration=athena.CfnWorkGroup.EncryptionConfigurationProperty(
                        encryption_option="SSE_KMS" if self._key else "SSE_S3",
                        kms_key=self._key.key_arn if self._key else None,
                    ),
                ),
            ),
        )


def _bucket_name(settings: Settings) -> str:
    return f"{settings.stack_name}-{Aws.ACCOUNT_ID}-{Aws.REGION}"
