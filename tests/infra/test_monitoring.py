"""What reports failures and silence, as the template defines it."""

import json
from typing import Any

import pytest

from infra.definitions import definitions
from lambdas.vocabulary import EXPORT_TYPES
from tests.infra.synthesis import Template, synthesized

SPECIAL = {
    # name: metric, statistic, limit, missing data
    "freshness": ("HoursSinceSuccess", "Maximum", 24, "breaching"),
    "reach": ("DaysMissing", "Maximum", 9, "notBreaching"),
    "empty-export": ("OddlyEmpty", "Maximum", 0, "notBreaching"),
    "quarantine": ("RowsQuarantined", "Maximum", 10, "notBreaching"),
    "replaced-rows": ("ShareReplaced", "Maximum", 5, "notBreaching"),
    "dead-letters": ("ApproximateNumberOfMessagesVisible", "Maximum", 0, "notBreaching"),
}


def properties(template: Template, kind: str) -> list[dict[str, Any]]:
    return [resource["Properties"] for resource in template.find_resources(kind).values()]


def rule(template: Template, name: str) -> dict[str, Any]:
    (found,) = [rule for rule in properties(template, "AWS::Events::Rule") if rule["Name"] == name]
    return found


@pytest.mark.parametrize("name", SPECIAL)
def test_each_condition_has_an_alarm_of_its_own(template: Template, name: str) -> None:
    (alarm,) = [a for a in properties(template, "AWS::CloudWatch::Alarm") if a["AlarmName"] == f"symplify-lake-{name}"]
    metric, statistic, limit, missing = SPECIAL[name]
    assert (alarm["MetricName"], alarm["Statistic"], alarm["Threshold"]) == (metric, statistic, limit)
    assert (alarm["ComparisonOperator"], alarm["TreatMissingData"]) == ("GreaterThanThreshold", missing)
    # Rolled up over all exports, so that one alarm is enough.
    if alarm["Namespace"] == "symplify-lake":
        assert alarm["Dimensions"] == [{"Name": "service", "Value": "symplify-lake"}]
        assert alarm["Period"] == 24 * 3600


def test_errors_and_throttles_of_every_function_alarm_by_its_name(template: Template) -> None:
    functions = {
        f["FunctionName"].removeprefix("symplify-lake-") for f in properties(template, "AWS::Lambda::Function")
    }
    alarms = {a["AlarmName"].removeprefix("symplify-lake-") for a in properties(template, "AWS::CloudWatch::Alarm")}
    assert alarms == set(SPECIAL) | {f"{kind}-{name}" for kind in ("errors", "throttles") for name in functions}


def test_every_alarm_goes_to_the_topic_and_names_its_page(template: Template) -> None:
    (topic,) = template.find_resources("AWS::SNS::Topic")
    for alarm in properties(template, "AWS::CloudWatch::Alarm"):
        assert alarm["AlarmActions"] == [{"Ref": topic}]
        assert "docs/operations.md#" in alarm["AlarmDescription"]


def test_alarms_that_wait_for_a_person_or_another_night_notify_of_their_end(template: Template) -> None:
    (topic,) = template.find_resources("AWS::SNS::Topic")
    notified = {
        alarm["AlarmName"].removeprefix("symplify-lake-"): alarm["OKActions"]
        for alarm in properties(template, "AWS::CloudWatch::Alarm")
        if "OKActions" in alarm
    }
    assert notified == {name: [{"Ref": topic}] for name in SPECIAL}


def test_freshness_is_looked_at_when_the_first_watch_can_already_be_called(template: Template) -> None:
    alarms = template.find_resources("AWS::CloudWatch::Alarm")
    (freshness,) = [a for a in alarms.values() if a["Properties"]["AlarmName"] == "symplify-lake-freshness"]
    rules = template.find_resources("AWS::Events::Rule")
    (deployed,) = [name for name, rule in rules.items() if rule["Properties"]["Name"] == "symplify-lake-deployed"]
    assert deployed in freshness["DependsOn"]


def test_addresses_of_the_settings_are_subscribed() -> None:
    template = synthesized(alertEmails=["team@example.com", "ops@example.com"])
    subscriptions = properties(template, "AWS::SNS::Subscription")
    assert {(s["Protocol"], s["Endpoint"]) for s in subscriptions} == {
        ("email", "team@example.com"),
        ("email", "ops@example.com"),
    }


def test_a_rule_reports_runs_that_no_state_can_close(template: Template) -> None:
    found = rule(template, "symplify-lake-stopped")
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine")
    assert found["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {"status": ["TIMED_OUT", "ABORTED"], "stateMachineArn": [{"Ref": machine}]},
    }
    (target,) = found["Targets"]
    functions = template.find_resources("AWS::Lambda::Function")
    assert functions[target["Arn"]["Fn::GetAtt"][0]]["Properties"]["FunctionName"] == "symplify-lake-watch-runs"
    assert target["DeadLetterConfig"]


def test_the_watch_comes_when_every_run_of_the_night_must_have_ended(template: Template) -> None:
    # 03:30, nine intervals of five minutes, and 6 + 1 + 2 hours that a run may take.
    assert rule(template, "symplify-lake-watch")["ScheduleExpression"] == "cron(15 13 * * ? *)"


def test_a_new_deployment_starts_the_clocks(template: Template) -> None:
    pattern = rule(template, "symplify-lake-deployed")["EventPattern"]
    assert pattern["source"] == ["aws.cloudformation"]
    assert pattern["detail-type"] == ["CloudFormation Stack Status Change"]
    assert pattern["detail"] == {
        "stack-id": [{"Ref": "AWS::StackId"}],
        "status-details": {"status": ["CREATE_COMPLETE"]},
    }


def test_only_exports_that_are_switched_on_are_watched() -> None:
    template = synthesized(exports={"OPENS": False})
    (watch,) = [
        f for f in properties(template, "AWS::Lambda::Function") if f["FunctionName"] == "symplify-lake-watch-runs"
    ]
    watched = watch["Environment"]["Variables"]["WATCHED_EXPORTS"].split(",")
    assert watched == [export for export in EXPORT_TYPES if export != "OPENS"]


def dashboard_metrics(template: Template) -> list[list[Any]]:
    """Every metric of the dashboard: namespace, name, dimensions and their values."""
    (dashboard,) = properties(template, "AWS::CloudWatch::Dashboard")
    body = dashboard["DashboardBody"]
    text = body if isinstance(body, str) else "".join(p if isinstance(p, str) else "x" for p in body["Fn::Join"][1])
    return [metric for widget in json.loads(text)["widgets"] for metric in widget["properties"]["metrics"]]


def test_the_dashboard_has_a_line_for_every_export_and_few_enough_to_be_free(template: Template) -> None:
    metrics = dashboard_metrics(template)
    assert len(metrics) <= 50
    for name in ("HoursSinceSuccess", "Failed", "RowsRead", "Seconds"):
        exports = [metric[metric.index("Export") + 1] for metric in metrics if metric[1] == name]
        assert sorted(exports) == sorted(EXPORT_TYPES)
    for name in ("DaysMissing", "RowsQuarantined", "ApiCalls", "RateLimited"):
        (metric,) = (metric for metric in metrics if metric[1] == name)
        assert "Export" not in metric


def test_three_attempts_of_a_function_fit_into_the_period_of_its_alarm(template: Template) -> None:
    alarms = {alarm["AlarmName"]: alarm for alarm in properties(template, "AWS::CloudWatch::Alarm")}
    (definition,) = definitions(template.to_json()).values()
    tasks = [state for state in json.loads(definition)["States"].values() if state["Type"] == "Task"]
    # The errors that no service causes are retried twice, after these waits.
    (waits,) = {
        sum(retry["IntervalSeconds"] * retry["BackoffRate"] ** number for number in range(retry["MaxAttempts"]))
        for task in tasks
        for retry in task["Retry"]
        if retry["ErrorEquals"] == ["States.ALL"]
    }
    for function in properties(template, "AWS::Lambda::Function"):
        alarm = alarms[f"symplify-lake-errors-{function['FunctionName'].removeprefix('symplify-lake-')}"]
        attempts = int(alarm["Threshold"]) + 1
        # An error counts for the minute in which its attempt began, so the last one's own time does not matter.
        assert (attempts - 1) * function["Timeout"] + waits < alarm["Period"]


def test_a_watch_that_fails_is_reported_at_once_since_missing_figures_take_days_to_be_noticed(
    template: Template,
) -> None:
    """CloudWatch takes missing data of a daily metric for missing only days later (docs/operations.md#freshness)."""
    alarms = {alarm["AlarmName"]: alarm for alarm in properties(template, "AWS::CloudWatch::Alarm")}
    for name in ("errors-watch-runs", "throttles-watch-runs"):
        alarm = alarms[f"symplify-lake-{name}"]
        assert (alarm["Threshold"], alarm["EvaluationPeriods"], alarm["Period"]) == (0, 1, 900)
    # And one that EventBridge cannot start, by the queue.
    for name in ("watch", "stopped", "deployed"):
        (target,) = rule(template, f"symplify-lake-{name}")["Targets"]
        assert target["DeadLetterConfig"]


def test_only_the_alarms_of_this_stack_publish_to_the_topic(template: Template) -> None:
    (policy,) = properties(template, "AWS::SNS::TopicPolicy")
    (statement,) = [one for one in policy["PolicyDocument"]["Statement"] if one["Effect"] == "Allow"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"]["StringEquals"] == {"aws:SourceAccount": {"Ref": "AWS::AccountId"}}
    source = statement["Condition"]["ArnLike"]["aws:SourceArn"]["Fn::Join"][1]
    assert source[-1] == ":alarm:symplify-lake-*"
    assert {"Ref": "AWS::AccountId"} in source
