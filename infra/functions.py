"""The functions: one for each step of the state machine, and the watch; each with its own role (`access.py`)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from infra import bundle
from infra.access import Access
from infra.environment_size import check_size
from infra.nag_suppressions import accept, accept_wildcards
from infra.settings import Settings, fields_of
from lambdas.vocabulary import EXPORT_TYPES

_RUNTIME = lambda_.Runtime.PYTHON_3_13
_ARCHITECTURES = {"arm64": lambda_.Architecture.ARM_64, "x86_64": lambda_.Architecture.X86_64}


@dataclass(frozen=True)
class FunctionSize:
    """The memory of a function in MiB (CPU is proportional to it), its time-out in seconds, and its disk in MiB."""

    memory: int
    seconds: int
    disk: int = 512
    has_engine: bool = False


# The steps that call Symplify may try a GET three times within 78 s, and once more with a new token. The copy buffers a
# few parts of 16 MiB; the load takes its engine's memory limit and a piece or two, and spills a day to disk. 900 s is
# Lambda's own limit.
FUNCTION_SIZES: Mapping[str, FunctionSize] = {
    "plan_run": FunctionSize(256, 60),
    "start_export": FunctionSize(256, 60),
    "check_batch": FunctionSize(256, 180),
    "copy_result": FunctionSize(512, 900),
    "load_result": FunctionSize(2048, 900, disk=10_240, has_engine=True),
    "close_run": FunctionSize(256, 120),
    "watch_runs": FunctionSize(256, 300),
    "write_report": FunctionSize(256, 600),
}
# Others than the steps of the machine.
WATCH, REPORT = "watch_runs", "write_report"


class Functions(Construct):
    """All functions, by the name of the handler."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings, access: Access) -> None:
        super().__init__(scope, construct_id)
        architecture = settings.architecture if settings.bundle == "lambda" else None
        self._settings = settings
        self._code = _asset(bundle.code())
        self._common = self._layer("CommonLayer", "requirements.txt", architecture)
        self._engine = self._layer("EngineLayer", "requirements-load.txt", architecture)
        self._environment = _environment(settings, access)
        check_size(self._environment)
        self.by_name = {
            name: self._function(name, size, access)
            for name, size in FUNCTION_SIZES.items()
            if name != REPORT or settings.morning_report
        }

    @property
    def steps(self) -> dict[str, lambda_.Function]:
        """Those that the state machine calls."""
        return {name: function for name, function in self.by_name.items() if name not in (WATCH, REPORT)}

    def _layer(self, construct_id: str, requirements: str, architecture: str | None) -> lambda_.LayerVersion:
        packages = bundle.layer(requirements, architecture)
        return lambda_.LayerVersion(
            self,
            construct_id,
            code=_asset(packages if architecture else bundle.linked(packages)),
            description=f"Packages of lambdas/{requirements}",
            compatible_runtimes=[_RUNTIME],
            compatible_architectures=[_ARCHITECTURES[self._settings.architecture]],
        )

    def _function(self, name: str, size: FunctionSize, access: Access) -> lambda_.Function:
        hyphened = name.replace("_", "-")
        title = "".join(word.capitalize() for word in name.split("_"))
        log_group = logs.LogGroup(
            self,
            f"{title}Logs",
            retention=_RETENTION[self._settings.log_retention_days],
            removal_policy=RemovalPolicy.DESTROY,
        )
        role = iam.Role(
            self,
            f"{title}Role",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
            description=f"What {name} of {self._settings.stack_name} may do",
        )
        statements = access.statements(name)
        for statement in statements:
            role.add_to_policy(statement)
        accept_wildcards(role, statements, "Objects, tables and executions have names that only a run knows.")
        accept(role, "AwsSolutions-IAM5[Resource::*]", "X-Ray's PutTraceSegments knows no resources.")
        log_group.grant_write(role)
        function = lambda_.Function(
            self,
            title,
            function_name=f"{self._settings.stack_name}-{hyphened}",
            description=f"Symplify lake: {name}",
            runtime=_RUNTIME,
            architecture=_ARCHITECTURES[self._settings.architecture],
            code=self._code,
            handler=f"lambdas.handlers.{name}.handler",
            layers=[self._common, self._engine] if size.has_engine else [self._common],
            memory_size=size.memory,
            timeout=Duration.seconds(size.seconds),
            ephemeral_storage_size=Size.mebibytes(size.disk),
            environment=self._environment,
            role=role,
            log_group=log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            tracing=lambda_.Tracing.ACTIVE,
        )
        accept(
            function,
            "AwsSolutions-L1",
            "The packages are locked and tested for this version of Python; a newer one is a change of its own.",
        )
        accept(
            function,
            "Serverless-LambdaLatestVersion",
            "The packages are locked and tested for this version of Python; a newer one is a change of its own.",
            pack="Serverless",
        )
        accept(
            function,
            "Serverless-LambdaDLQ",
            "The machine waits for each answer and closes a run whose step failed; the watch runs again tomorrow, and "
            "an alarm reports its errors.",
            pack="Serverless",
        )
        return function


_RETENTION = {
    days: getattr(logs.RetentionDays, name)
    for days, name in (
        *((1, "ONE_DAY"), (3, "THREE_DAYS"), (5, "FIVE_DAYS"), (7, "ONE_WEEK"), (14, "TWO_WEEKS"), (30, "ONE_MONTH")),
        *((60, "TWO_MONTHS"), (90, "THREE_MONTHS"), (120, "FOUR_MONTHS"), (150, "FIVE_MONTHS"), (180, "SIX_MONTHS")),
        *((365, "ONE_YEAR"), (400, "THIRTEEN_MONTHS"), (545, "EIGHTEEN_MONTHS"), (731, "TWO_YEARS")),
        *((1827, "FIVE_YEARS"), (3653, "TEN_YEARS")),
    )
}


def _environment(settings: Settings, access: Access) -> dict[str, str]:
    """Every variable that `lambdas/settings.py` and Powertools read."""
    return {
        "POWERTOOLS_SERVICE_NAME": settings.stack_name,
        "POWERTOOLS_LOG_LEVEL": "INFO",
        "POWERTOOLS_METRICS_NAMESPACE": settings.stack_name,
        "BASE_URL": settings.base_url,
        "CUSTOMER_ID": settings.customer_id,
        "TOKEN_SECRET_ARN": access.secret_arn,
        "BUCKET": access.bucket.bucket_name,
        "DATABASE": settings.database,
        "LEDGER_TABLE": access.ledger.table_name,
        "TIME_ZONE": settings.time_zone,
        "NIGHTLY_PERIOD": settings.nightly_period.value,
        "SWEEP_WEEKDAY": settings.sweep_weekday,
        "RESULT_HOSTS": ",".join(settings.result_hosts),
        "ALLOW_LOOPBACK_HTTP": "true" if settings.allow_loopback_http else "false",
        "CALLS_PER_MINUTE": str(settings.calls_per_minute),
        "POLL_FIRST_SECONDS": str(settings.poll_first_seconds),
        "POLL_MAX_SECONDS": str(settings.poll_max_seconds),
        "RUN_DEADLINE_MINUTES": str(settings.run_deadline_hours * 60),
        "ORDER_GRACE_SECONDS": str(settings.order_grace_seconds),
        "ORDER_ATTEMPTS": str(settings.order_attempts),
        "LEASE_WAIT_SECONDS": str(settings.lease_wait_minutes * 60),
        "LONGEST_FUNCTION_SECONDS": str(max(size.seconds for size in FUNCTION_SIZES.values())),
        "SUPERSEDED_RETENTION_HOURS": str(settings.superseded_retention_hours),
        "STACK_NAME": settings.stack_name,
        "STATE_MACHINE_ARN": access.machine_arn,
        "ALERT_TOPIC_ARN": access.topic_arn,
        "WATCHED_EXPORTS": ",".join(export for export in EXPORT_TYPES if settings.is_on(export)),
        "NIGHTLY_SUMMARY": "true" if settings.nightly_summary else "false",
        "CONTACT_ENGAGEMENT": "true" if settings.contact_engagement else "false",
        "MACHINE_CLICK_SECONDS": str(settings.machine_click_seconds),
        "QUARANTINE_RATIO": str(settings.quarantine_ratio),
        "QUARANTINE_MINIMUM": str(settings.quarantine_minimum),
        "IDENTITY_FIELDS": json.dumps(dict(settings.identity_fields)),
        "EVENT_TIME": json.dumps({export: fields_of(chosen) for export, chosen in settings.event_time.items()}),
        "TIMESTAMP_TIME_ZONE": settings.timestamp_time_zone,
        "UNKNOWN_TIME_RATIO": str(settings.unknown_time_ratio),
        "BATCH_STATUSES": json.dumps(dict(settings.batch_statuses)),
    }


def _asset(made: bundle.Bundle) -> lambda_.Code:
    return lambda_.Code.from_asset(str(made.path), asset_hash=made.fingerprint)
