"""The monthly budget, which a custom resource of CDK's makes by the API of AWS Budgets."""

import json
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

from infra.settings import BadSetting, from_context
from tests.infra.synthesis import CONTEXT, Template, synthesized

BUDGET = {"monthlyBudgetUsd": 20, "alertEmails": ["team@example.com", "ops@example.com"]}


def resource(template: Template) -> dict[str, Any]:
    (found,) = template.find_resources("Custom::AWS").values()
    return dict(found["Properties"])


def call(template: Template, event: str) -> dict[str, Any]:
    """The call of an event of CloudFormation's, with the names that the deployment fills in."""
    written = resource(template)[event]
    parts = written["Fn::Join"][1]
    names = {"AWS::AccountId": "123456789012", "AWS::Region": "eu-north-1"}
    return dict(json.loads("".join(part if isinstance(part, str) else names[part["Ref"]] for part in parts)))


def test_without_the_setting_there_is_no_budget(template: Template) -> None:
    assert template.find_resources("Custom::AWS") == {}
    assert not any("udget" in name for name in template.to_json()["Resources"])


@pytest.mark.parametrize(("event", "operation"), [("Update", "CreateBudget"), ("Delete", "DeleteBudget")])
def test_the_calls_are_such_as_aws_budgets_takes(event: str, operation: str) -> None:
    made = call(synthesized(**BUDGET, tags={"team": "data"}, budgetTag="team"), event)
    assert (made["service"], made["action"]) == ("Budgets", operation[0].lower() + operation[1:])
    model = boto3.client("budgets", region_name="us-east-1").meta.service_model.operation_model(operation)
    report = ParamValidator().validate(made["parameters"], model.input_shape)
    assert not report.has_errors(), report.generate_report()


def test_the_alert_addresses_hear_of_spent_and_of_forecast_costs_above_the_amount() -> None:
    given = call(synthesized(**BUDGET), "Create")["parameters"]
    assert given["Budget"]["BudgetLimit"] == {"Amount": "20", "Unit": "USD"}
    assert "CostFilters" not in given["Budget"]
    told = {one["Notification"]["NotificationType"]: one for one in given["NotificationsWithSubscribers"]}
    assert set(told) == {"ACTUAL", "FORECASTED"}
    for one in told.values():
        assert (one["Notification"]["Threshold"], one["Notification"]["ThresholdType"]) == (100, "PERCENTAGE")
        assert [to["Address"] for to in one["Subscribers"]] == BUDGET["alertEmails"]


def test_a_tag_of_the_settings_limits_what_is_counted() -> None:
    given = call(synthesized(**BUDGET, tags={"team": "data"}, budgetTag="team"), "Create")["parameters"]
    assert given["Budget"]["CostFilters"] == {"TagKeyValue": ["user:team$data"]}


def test_a_changed_budget_has_another_name_so_that_it_replaces_the_old_one() -> None:
    names = [
        call(synthesized(**BUDGET | change), "Create")["parameters"]["Budget"]["BudgetName"]
        for change in ({}, {"monthlyBudgetUsd": 30}, {"alertEmails": ["team@example.com"]})
    ]
    assert len(set(names)) == 3
    assert all(name.startswith("symplify-lake-eu-north-1-") for name in names)
    removed = call(synthesized(**BUDGET), "Delete")["parameters"]
    assert removed == {"AccountId": "123456789012", "BudgetName": names[0]}


def test_its_role_may_change_the_budgets_of_this_stack_alone() -> None:
    policies = synthesized(**BUDGET).find_resources("AWS::IAM::Policy").values()
    statements = [one for policy in policies for one in policy["Properties"]["PolicyDocument"]["Statement"]]
    (statement,) = [one for one in statements if one["Action"] == "budgets:ModifyBudget"]
    assert json.dumps(statement["Resource"]).count(":budget/symplify-lake-") == 1


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"alertEmails": []}, "there are 0"),
        ({"alertEmails": [f"a{number}@example.com" for number in range(11)]}, "there are 11"),
        ({"budgetTag": "team"}, "no name in the setting tags"),
        ({"monthlyBudgetUsd": -1}, "monthlyBudgetUsd"),
    ],
)
def test_a_budget_that_nobody_would_hear_of_is_refused(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(BadSetting, match=words):
        from_context(CONTEXT | {"customerId": "1234"} | BUDGET | changes)
