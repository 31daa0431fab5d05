"""The setting callsPerMinute: who may count the calls, and where."""

import pytest

from tests.infra.synthesis import Template, synthesized

CALLERS = {"start_export", "check_batch", "copy_result"}


def counting(template: Template) -> dict[str, list[dict[str, object]]]:
    """The statements that let a function count calls, by the function's name."""
    functions = {
        one["Properties"]["Role"]["Fn::GetAtt"][0]: one["Properties"]["Handler"].split(".")[2]
        for one in template.find_resources("AWS::Lambda::Function").values()
    }
    return {
        functions[policy["Properties"]["Roles"][0]["Ref"]]: found
        for policy in template.find_resources("AWS::IAM::Policy").values()
        if (
            found := [
                one for one in policy["Properties"]["PolicyDocument"]["Statement"] if one.get("Sid") == "CountCalls"
            ]
        )
    }


def test_with_a_limit_the_functions_that_call_symplify_may_count_and_touch_no_more_of_the_ledger() -> None:
    found = counting(synthesized(callsPerMinute=20))
    assert set(found) == CALLERS
    for (statement,) in found.values():
        assert statement["Action"] == ["dynamodb:GetItem", "dynamodb:PutItem"]
        assert statement["Condition"] == {"ForAllValues:StringEquals": {"dynamodb:LeadingKeys": ["account"]}}


@pytest.mark.parametrize("calls", [0, 20])
def test_the_functions_are_given_the_limit(calls: int) -> None:
    for function in synthesized(callsPerMinute=calls).find_resources("AWS::Lambda::Function").values():
        assert function["Properties"]["Environment"]["Variables"]["CALLS_PER_MINUTE"] == str(calls)


def test_without_a_limit_no_function_may(template: Template) -> None:
    assert counting(template) == {}
