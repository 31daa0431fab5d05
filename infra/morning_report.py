"""When the morning report is written: whenever no run is left, and once a day whatever ran."""

from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.settings import Settings


class MorningReport(Construct):
    """The rules that have the report written."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        *,
        function: lambda_.IFunction,
        machine: sfn.IStateMachine,
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        ended = events.Rule(
            self,
            "Ended",
            rule_name=f"{settings.stack_name}-ended",
            description="Has the morning report written when the last run of a night has ended",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
                    "stateMachineArn": [machine.state_machine_arn],
                },
            ),
        )
        # Where nothing ran, the page has to say so.
        daily = events.Rule(
            self,
            "Daily",
            rule_name=f"{settings.stack_name}-report",
            description="Has the morning report written when all runs of a night must have ended",
            schedule=events.Schedule.cron(minute=str(settings.watch_time.minute), hour=str(settings.watch_time.hour)),
        )
        for rule in (ended, daily):
            rule.add_target(targets.LambdaFunction(function, dead_letter_queue=dead_letters, retry_attempts=3))
