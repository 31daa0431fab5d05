"""The state machine: plan, start, wait, check, copy, load, close. It branches on outcomes and waits; functions decide.

JSONPath: the state is one flat object that each function takes and returns whole, so the machine never builds values,
and both the local cloud and AWS's own test tools can run it.
"""

from collections.abc import Mapping

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_stepfunctions as sfn
from aws_cdk import aws_stepfunctions_tasks as tasks
from constructs import Construct

from infra.nag_suppressions import accept, accept_wildcards
from infra.settings import Settings
from lambdas.outcome import Outcome

# Transient service errors: exponential backoff of 2 + 4 + … + 64 s, about two minutes. Other exceptions: two retries,
# 10 and 30 s later, since every step is idempotent; the retry finds a lost order on record.
_SERVICE_ERRORS = [
    "Lambda.ServiceException",
    "Lambda.AWSLambdaException",
    "Lambda.SdkClientException",
    "Lambda.TooManyRequestsException",
]


class Workflow(Construct):
    """One execution is one run of one export type."""

    def __init__(
        self, scope: Construct, construct_id: str, settings: Settings, functions: Mapping[str, lambda_.IFunction]
    ) -> None:
        super().__init__(scope, construct_id)
        self._functions = functions
        self.machine = sfn.StateMachine(
            self,
            "Machine",
            state_machine_name=settings.stack_name,
            comment="Symplify export to S3, Glue and Athena: one export type an execution",
            definition_body=sfn.DefinitionBody.from_chainable(self._definition()),
            state_machine_type=sfn.StateMachineType.STANDARD,
            timeout=Duration.seconds(int(settings.machine_timeout.total_seconds())),
            tracing_enabled=True,
            logs=sfn.LogOptions(
                destination=logs.LogGroup(
                    self,
                    "Logs",
                    # One resource policy of AWS covers every machine under this prefix.
                    log_group_name=f"/aws/vendedlogs/states/{settings.stack_name}",
                    retention=logs.RetentionDays.THREE_MONTHS,
                    removal_policy=RemovalPolicy.DESTROY,
                ),
                level=sfn.LogLevel.ERROR,
                include_execution_data=False,
            ),
        )
        self._accept_findings()

    def _definition(self) -> sfn.IChainable:
        succeeded = sfn.Succeed(self, "Succeeded")
        duplicate = sfn.Succeed(self, "Duplicate", comment="Another execution has this scheduled time already")
        failed = sfn.Fail(self, "Failed", error_path="$.errorName", cause_path="$.reason")

        close = self._task("CloseRun", "close_run")
        plan = self._step("PlanRun", "plan_run", close)
        start = self._step("StartExport", "start_export", close)
        check = self._step("CheckBatch", "check_batch", close)
        copy = self._step("CopyResult", "copy_result", close)
        load = self._step("LoadResult", "load_result", close)

        _choose(
            plan,
            close,
            {
                Outcome.PLANNED: start,
                Outcome.ADOPTED: check,
                Outcome.LANDED: load,
                Outcome.REPLAY: load,
                Outcome.BUSY: self._wait("WaitForLease", plan),
                Outcome.DUPLICATE: duplicate,
            },
        )
        try_again = self._wait("WaitToOrder", start)
        _choose(
            start,
            close,
            {
                Outcome.ORDERED: self._wait("WaitForBatch", check),
                Outcome.RATE_LIMITED: try_again,
                Outcome.ORDER_UNKNOWN: try_again,
            },
        )
        ask_again = self._wait("WaitToCheck", check)
        _choose(check, close, {Outcome.FINISHED: copy, Outcome.RUNNING: ask_again, Outcome.RATE_LIMITED: ask_again})
        _choose(
            copy,
            close,
            {Outcome.COPIED: load, Outcome.RATE_LIMITED: self._wait("WaitToCopy", copy), Outcome.PARTIAL: copy},
        )
        _choose(load, close, {Outcome.LOADED: close, Outcome.PARTIAL: load})
        _choose(close, failed, {Outcome.SUCCEEDED: succeeded})
        return plan

    def _accept_findings(self) -> None:
        accept(
            self.machine,
            "AwsSolutions-SF1",
            "Errors are logged; all events would cost more than the night, and the history keeps them for 90 days.",
        )
        accept(
            self.machine.role,
            "AwsSolutions-IAM5[Resource::*]",
            "Log delivery and X-Ray know no resources.",
        )
        for function in self._functions.values():
            accept_wildcards(
                self.machine.role,
                [iam.PolicyStatement(actions=["lambda:InvokeFunction"], resources=[f"{function.function_arn}:*"])],
                "CDK grants a function's versions with it; there are none.",
            )

    def _task(self, name: str, function: str) -> tasks.LambdaInvoke:
        task = tasks.LambdaInvoke(
            self,
            name,
            lambda_function=self._functions[function],
            payload=sfn.TaskInput.from_object(
                {
                    "execution": {
                        "arn": sfn.JsonPath.string_at("$$.Execution.Id"),
                        "startedAt": sfn.JsonPath.string_at("$$.Execution.StartTime"),
                    },
                    "state": sfn.JsonPath.object_at("$"),
                }
            ),
            payload_response_only=True,
            # CDK's default adds six retries, also after a client's time-out.
            retry_on_service_exceptions=False,
        )
        task.add_retry(errors=_SERVICE_ERRORS, interval=Duration.seconds(2), max_attempts=6, backoff_rate=2)
        task.add_retry(errors=["States.ALL"], interval=Duration.seconds(10), max_attempts=2, backoff_rate=3)
        return task

    def _step(self, name: str, function: str, close: sfn.IChainable) -> tasks.LambdaInvoke:
        task = self._task(name, function)
        task.add_catch(close, errors=["States.ALL"], result_path="$.error")
        return task

    def _wait(self, name: str, then: sfn.IChainable) -> sfn.Chain:
        return sfn.Wait(self, name, time=sfn.WaitTime.seconds_path("$.waitSeconds")).next(then)


def _choose(task: tasks.LambdaInvoke, otherwise: sfn.IChainable, ways: Mapping[Outcome, sfn.IChainable]) -> None:
    """Branch on the outcome; an unmapped one goes to `otherwise`, which ends the run as a failure."""
    choice = sfn.Choice(task, f"{task.node.id}Outcome")
    for outcome, way in ways.items():
        choice.when(sfn.Condition.string_equals("$.outcome", outcome.value), way)
    task.next(choice.otherwise(otherwise))
