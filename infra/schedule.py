"""EventBridge: one daily rule per export type, a few minutes apart, and one dead-letter queue for all."""

from aws_cdk import Duration
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.nag_suppressions import accept
from infra.settings import Settings
from lambdas.vocabulary import EXPORT_TYPES


class Schedule(Construct):
    """The nightly starts."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        machine: sfn.IStateMachine,
        key: kms.IKey | None,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            queue_name=f"{settings.stack_name}-dead-letters",
            encryption=sqs.QueueEncryption.KMS if key else sqs.QueueEncryption.SQS_MANAGED,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=Duration.days(14),
        )
        accept(self.dead_letters, "AwsSolutions-SQS3", "It is itself the dead-letter queue.")
        accept(
            self.dead_letters, "Serverless-SQSRedrivePolicy", "It is itself the dead-letter queue.", pack="Serverless"
        )
        role = iam.Role(
            self,
            "Role",
            assumed_by=iam.ServicePrincipal("events.amazonaws.com"),
            description=f"Starts the state machine of {settings.stack_name}",
        )
        for position, export in enumerate(EXPORT_TYPES.values()):
            fires = settings.rule_time(position)
            rule = events.Rule(
                self,
                export.name,
                rule_name=f"{settings.stack_name}-{export.table.replace('_', '-')}",
                description=f"Starts the nightly export of {export.name}",
                schedule=events.Schedule.cron(minute=str(fires.minute), hour=str(fires.hour)),
                enabled=settings.is_on(export.name),
            )
            rule.add_target(
                targets.SfnStateMachine(
                    machine,
                    input=events.RuleTargetInput.from_object(
                        {"exportType": export.name, "scheduledTime": events.EventField.time}
                    ),
                    role=role,
                    dead_letter_queue=self.dead_letters,
                    # A start that is hours late would overlap the next night; the queue keeps it instead.
                    max_event_age=Duration.hours(4),
                    retry_attempts=24,
                )
            )
