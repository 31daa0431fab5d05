"""When the morning report is written, what may write it, and that a setting switches it off."""

from typing import Any

from infra.definitions import definitions
from tests.infra.synthesis import Template, synthesized
from tests.infra.test_template import resources

NAME = "symplify-lake-write-report"


def named(template: Template, kind: str, name: str) -> dict[str, dict[str, Any]]:
    """The properties of the resources of a type by the values of their names."""
    return {
        one["Properties"][name]: one["Properties"] for one in resources(template, kind) if name in one["Properties"]
    }


def test_the_report_follows_the_end_of_every_run_and_comes_once_a_day_with_the_watch(template: Template) -> None:
    functions = template.find_resources("AWS::Lambda::Function")
    (function,) = (key for key, one in functions.items() if one["Properties"]["FunctionName"] == NAME)
    rules = named(template, "AWS::Events::Rule", "Name")
    own = {
        name: rule
        for name, rule in rules.items()
        if any(target["Arn"] == {"Fn::GetAtt": [function, "Arn"]} for target in rule["Targets"])
    }
    assert set(own) == {"symplify-lake-ended", "symplify-lake-report"}
    assert own["symplify-lake-report"]["ScheduleExpression"] == rules["symplify-lake-watch"]["ScheduleExpression"]
    (machine,) = template.find_resources("AWS::StepFunctions::StateMachine")
    assert own["symplify-lake-ended"]["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "status": ["SUCCEEDED", "FAILED", "TIMED_OUT", "ABORTED"],
            "stateMachineArn": [{"Ref": machine}],
        },
    }


def test_no_run_waits_for_the_report(template: Template) -> None:
    (definition,) = definitions(template.to_json()).values()
    assert "report" not in definition.lower()


def test_the_report_is_switched_off_by_a_setting() -> None:
    without = synthesized(morningReport=False)
    for kind, name in (
        ("AWS::Lambda::Function", "FunctionName"),
        ("AWS::Events::Rule", "Name"),
        ("AWS::CloudWatch::Alarm", "AlarmName"),
    ):
        found = named(without, kind, name)
        assert found
        assert not [one for one in found if one.endswith(("-report", "-ended"))]
