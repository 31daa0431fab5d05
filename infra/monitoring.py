"""What reports failures and silence: the watch and its rules, the alarms.

Each alarm has one metric: per-export metrics come with a roll-up over all exports, so that a condition costs one alarm
metric and not ten.
"""

from collections.abc import Mapping

from aws_cdk import Duration, Stack
from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as sfn
from constructs import Construct

from infra.functions import FUNCTION_SIZES, WATCH
from infra.settings import Settings
from lambdas.vocabulary import Period

# At the time of the watch every run of the night has ended, so a type without a success for a day has missed its night.
_FRESH_HOURS = 24
# Percent of the rows that both cover: at 15 a run fails, and good data stay far below.
_SHARE_REPLACED = 5
# Days that Symplify still exports for three nights more: time enough for a person to act.
_REACH_DAYS = Period.LAST_2_WEEKS.trusted.days - 3
# A step is tried three times; fewer errors than that were healed by a retry. An error counts for the minute in
# which its attempt began: three that each take Lambda's whole quarter of an hour span half an hour.
_ERRORS = 3
_LONG_SECONDS = 300

_DAY, _HOUR, _QUARTER = Duration.days(1), Duration.hours(1), Duration.minutes(15)
_MISSING_IS_FAILURE, _MISSING_IS_GOOD = (
    cloudwatch.TreatMissingData.BREACHING,
    cloudwatch.TreatMissingData.NOT_BREACHING,
)


class Monitoring(Construct):
    """Everything that publishes to the alert topic by itself."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        settings: Settings,
        *,
        topic: sns.ITopic,
        machine: sfn.IStateMachine,
        functions: Mapping[str, lambda_.IFunction],
        dead_letters: sqs.IQueue,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._topic = topic
        deployed = self._watch(functions[WATCH], machine, dead_letters)
        dead_letter = self._alarm(
            "dead-letters",
            dead_letters.metric_approximate_number_of_messages_visible(statistic="Maximum", period=Duration.minutes(5)),
            limit=0,
            missing=_MISSING_IS_GOOD,
            description="EventBridge could not start something and kept the event in the dead-letter queue",
        )
        freshness, *others = self._lake_alarms()
        # Created last, so that it is hardly evaluated before the first watch has reported that nothing is late.
        freshness.node.add_dependency(deployed)
        for alarm in (dead_letter, freshness, *others):
            # These wait for a person or for another night, so their end is reported too.
            alarm.add_ok_action(actions.SnsAction(self._topic))
        for name, function in functions.items():
            hyphened = name.replace("_", "-")
            self._alarm(
                f"errors-{hyphened}",
                function.metric_errors(
                    statistic="Sum", period=_HOUR if FUNCTION_SIZES[name].seconds > _LONG_SECONDS else _QUARTER
                ),
                limit=_ERRORS - 1 if name != WATCH else 0,
                missing=_MISSING_IS_GOOD,
                description=f"The function {name} fails, also when it is tried again",
                anchor="errors",
            )
            self._alarm(
                f"throttles-{hyphened}",
                function.metric_throttles(statistic="Sum", period=_QUARTER),
                limit=0,
                missing=_MISSING_IS_GOOD,
                description=f"The account's Lambda concurrency is used up, so the function {name} does not run",
                anchor="throttles",
            )

    def _lake_alarms(self) -> tuple[cloudwatch.Alarm, ...]:
        return (
            self._alarm(
                "freshness",
                self._metric("HoursSinceSuccess"),
                limit=_FRESH_HOURS,
                missing=_MISSING_IS_FAILURE,
                description="An export has had no success for a day, or the watch itself is silent for about three",
            ),
            self._alarm(
                "reach",
                self._metric("DaysMissing"),
                limit=_REACH_DAYS - 1,
                missing=_MISSING_IS_GOOD,
                description="Days that no export has covered will soon be out of Symplify's reach",
            ),
            self._alarm(
                "empty-export",
                self._metric("OddlyEmpty"),
                limit=0,
                missing=_MISSING_IS_GOOD,
                description="An export was empty, and in the seven days before it never was",
            ),
            self._alarm(
                "quarantine",
                self._metric("RowsQuarantined"),
                limit=self._settings.quarantine_minimum,
                missing=_MISSING_IS_GOOD,
                description="A run has quarantined more records than quarantineMinimum",
            ),
            self._alarm(
                "replaced-rows",
                self._metric("ShareReplaced"),
                limit=_SHARE_REPLACED,
                missing=_MISSING_IS_GOOD,
                description="Where an export and its table cover the same time, many rows are in one alone, or oftener",
            ),
        )

    def _alarm(
        self,
        name: str,
        metric: cloudwatch.IMetric,
        *,
        limit: float,
        missing: cloudwatch.TreatMissingData,
        description: str,
        anchor: str | None = None,
    ) -> cloudwatch.Alarm:
        alarm = cloudwatch.Alarm(
            self,
            name,
            alarm_name=f"{self._settings.stack_name}-{name}",
            alarm_description=f"{description}. What to do: docs/operations.md#{anchor or name}",
            metric=metric,
            threshold=limit,
            comparison_operator=cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
            evaluation_periods=1,
            treat_missing_data=missing,
        )
        alarm.add_alarm_action(actions.SnsAction(self._topic))
        return alarm

    def _metric(self, name: str) -> cloudwatch.Metric:
        return lake_metric(self._settings, name, "Maximum")

    def _watch(self, function: lambda_.IFunction, machine: sfn.IStateMachine, dead_letters: sqs.IQueue) -> events.Rule:
        fires = self._settings.watch_time
        daily = events.Rule(
            self,
            "Watch",
            rule_name=f"{self._settings.stack_name}-watch",
            description="Checks the night when all of its runs must have ended",
            schedule=events.Schedule.cron(minute=str(fires.minute), hour=str(fires.hour)),
        )
        # Freshness counts from here: a new stack is not late, and reports so at once.
        deployed = events.Rule(
            self,
            "Deployed",
            rule_name=f"{self._settings.stack_name}-deployed",
            description="Starts the watch's clocks when the stack has been made",
            event_pattern=events.EventPattern(
                source=["aws.cloudformation"],
                detail_type=["CloudFormation Stack Status Change"],
                detail={"stack-id": [Stack.of(self).stack_id], "status-details": {"status": ["CREATE_COMPLETE"]}},
            ),
        )
        stopped = events.Rule(
            self,
            "Stopped",
            rule_name=f"{self._settings.stack_name}-stopped",
            description="Has the watch close and report runs that timed out or were aborted",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={"status": ["TIMED_OUT", "ABORTED"], "stateMachineArn": [machine.state_machine_arn]},
            ),
        )
        for rule in (daily, deployed, stopped):
            rule.add_target(targets.LambdaFunction(function, dead_letter_queue=dead_letters, retry_attempts=3))
        return deployed


def lake_metric(
    settings: Settings, name: str, statistic: str, export: str | None = None, period: Duration = _DAY
) -> cloudwatch.Metric:
    """A metric of the functions' own (`lambdas/handlers/metrics.py`), of one export or rolled up over all."""
    dimensions = {"service": settings.stack_name} | ({"Export": export} if export else {})
    return cloudwatch.Metric(
        namespace=settings.stack_name,
        metric_name=name,
        dimensions_map=dimensions,
        statistic=statistic,
        period=period,
        label=export,
    )
