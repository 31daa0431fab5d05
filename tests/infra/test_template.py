"""What the synthesized stack promises, looked up by meaning and never by hashed names."""

import json
import re
from typing import Any

import pytest

from infra.definitions import definitions
from lambdas.settings import Settings
from lambdas.steps.alert import NEXT_STEP
from lambdas.symplify.token import PLACEHOLDER
from lambdas.vocabulary import EXPORT_TYPES
from tests.infra.synthesis import Template, synthesized


def resources(template: Template, kind: str) -> list[dict[str, Any]]:
    return [dict(resource) for resource in template.find_resources(kind).values()]


def properties(template: Template, kind: str) -> dict[str, Any]:
    (found,) = resources(template, kind)
    return dict(found["Properties"])


def test_the_bucket_is_closed_encrypted_and_versioned(template: Template) -> None:
    bucket = properties(template, "AWS::S3::Bucket")
    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert bucket["BucketEncryption"]
    statements = properties(template, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
    assert any(
        statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
        for statement in statements
    )


def test_raw_results_old_versions_and_unfinished_uploads_expire(template: Template) -> None:
    rules = {rule["Id"]: rule for rule in properties(template, "AWS::S3::Bucket")["LifecycleConfiguration"]["Rules"]}
    assert rules["raw"]["Prefix"] == "raw/"
    assert rules["raw"]["ExpirationInDays"] == 400
    assert rules["superseded-and-noncurrent"]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 30}
    assert rules["unfinished-uploads"]["AbortIncompleteMultipartUpload"] == {"DaysAfterInitiation": 2}
    assert not any(rule.get("Prefix", "").startswith("curated") for rule in rules.values())


DATA = ("AWS::S3::Bucket", "AWS::Glue::Database", "AWS::DynamoDB::Table")


@pytest.mark.parametrize("kind", DATA)
def test_data_outlives_the_stack_and_nothing_outlives_a_creation_that_failed(template: Template, kind: str) -> None:
    (kept,) = resources(template, kind)
    assert (kept["DeletionPolicy"], kept["UpdateReplacePolicy"]) == ("RetainExceptOnCreate", "Retain")


def test_no_other_resource_outlives_the_stack_or_a_failed_creation(template: Template) -> None:
    content = template.to_json()["Resources"].values()
    kept = {one["Type"] for one in content if one.get("DeletionPolicy", "Delete") != "Delete"}
    assert kept == set(DATA)


def test_data_goes_with_the_stack_when_the_setting_asks_for_it() -> None:
    with_data = synthesized(deleteDataWithStack=True)
    for kind in DATA:
        (removed,) = resources(with_data, kind)
        assert removed["DeletionPolicy"] == "Delete"
    # CloudFormation deletes no bucket that has an object or a version left.
    (bucket,) = with_data.find_resources("AWS::S3::Bucket")
    assert properties(with_data, "Custom::S3AutoDeleteObjects")["BucketName"] == {"Ref": bucket}


def test_data_that_is_there_already_is_used_and_guarded_as_before(template: Template) -> None:
    taken_over = synthesized(useExistingData=True)
    for kind in ("AWS::S3::Bucket", "AWS::Glue::Database", "AWS::DynamoDB::Table"):
        assert resources(taken_over, kind) == []
    before, now = (
        [
            (one["Effect"], one["Action"], one["Principal"], one["Condition"])
            for one in properties(some, "AWS::S3::BucketPolicy")["PolicyDocument"]["Statement"]
        ]
        for some in (template, taken_over)
    )
    assert now == before


def test_the_ledger_is_on_demand_recoverable_and_forgets_only_what_expires(template: Template) -> None:
    table = properties(template, "AWS::DynamoDB::Table")
    assert table["BillingMode"] == "PAY_PER_REQUEST"
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_the_workgroup_enforces_encryption_and_a_scan_limit(template: Template) -> None:
    configuration = properties(template, "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]
    assert configuration["EnforceWorkGroupConfiguration"] is True
    assert configuration["ResultConfiguration"]["EncryptionConfiguration"] == {"EncryptionOption": "SSE_S3"}
    assert configuration["BytesScannedCutoffPerQuery"] == 100 << 30


def test_the_token_starts_as_a_placeholder_that_the_functions_know(template: Template) -> None:
    assert properties(template, "AWS::SecretsManager::Secret")["SecretString"] == PLACEHOLDER


def test_an_existing_secret_is_used_instead_of_a_new_one() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:symplify-AbCdEf"
    template = synthesized(tokenSecretArn=arn)
    assert resources(template, "AWS::SecretsManager::Secret") == []
    policies = [one["Properties"]["PolicyDocument"]["Statement"] for one in resources(template, "AWS::IAM::Policy")]
    reading = [one for some in policies for one in some if one["Action"] == "secretsmanager:GetSecretValue"]
    assert reading
    assert {one["Resource"] for one in reading} == {arn}


def export_rules(template: Template) -> list[dict[str, Any]]:
    rules = [rule["Properties"] for rule in resources(template, "AWS::Events::Rule")]
    return [rule for rule in rules if "starts the nightly export" in rule["Description"].lower()]


def test_every_export_type_has_a_daily_rule_and_they_follow_each_other(template: Template) -> None:
    rules = {rule["Name"]: rule for rule in export_rules(template)}
    wanted = [f"symplify-lake-{export.table.replace('_', '-')}" for export in EXPORT_TYPES.values()]
    assert sorted(rules) == sorted(wanted)
    times = [rules[name]["ScheduleExpression"] for name in wanted]
    assert times == [f"cron({minute % 60} {3 + minute // 60} * * ? *)" for minute in range(30, 80, 5)]
    for name, export in zip(wanted, EXPORT_TYPES, strict=True):
        (target,) = rules[name]["Targets"]
        assert json.loads(target["InputTransformer"]["InputTemplate"].replace("<time>", '"<time>"')) == {
            "exportType": export,
            "scheduledTime": "<time>",
        }
        assert target["DeadLetterConfig"]


def test_a_rule_can_be_switched_off_alone() -> None:
    template = synthesized(exports={"OPENS": False})
    states = {rule["Name"]: rule["State"] for rule in export_rules(template)}
    assert states.pop("symplify-lake-opens") == "DISABLED"
    assert set(states.values()) == {"ENABLED"}


def test_the_machine_is_bounded_traced_and_logs_errors_without_data(template: Template) -> None:
    machine = properties(template, "AWS::StepFunctions::StateMachine")
    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    assert machine["LoggingConfiguration"]["Level"] == "ERROR"
    assert machine["LoggingConfiguration"]["IncludeExecutionData"] is False
    (definition,) = definitions(template.to_json()).values()
    # A night ends before the next begins.
    assert 0 < json.loads(definition)["TimeoutSeconds"] < 24 * 3600


def test_every_task_is_tried_a_bounded_number_of_times_and_ends_in_close(template: Template) -> None:
    (definition,) = definitions(template.to_json()).values()
    states = json.loads(definition)["States"]
    tasks = {name: state for name, state in states.items() if state["Type"] == "Task"}
    assert len(tasks) == 6
    for name, task in tasks.items():
        assert sum(retry["MaxAttempts"] for retry in task["Retry"]) <= 8
        if name != "CloseRun":
            assert [(caught["Next"], caught["ResultPath"]) for caught in task["Catch"]] == [("CloseRun", "$.error")]
            assert states[task["Next"]]["Default"] == "CloseRun"


def test_a_message_of_a_crash_names_the_step_that_the_machine_goes_to(template: Template) -> None:
    (definition,) = definitions(template.to_json()).values()
    states = json.loads(definition)["States"]

    def step(name: str) -> str:
        state = states[name]
        name = state["Next"] if state["Type"] == "Wait" else name
        return re.sub(r"(?<=.)([A-Z])", r"_\1", name).lower()

    ways: dict[tuple[str | None, str], str] = {
        (step(name), choice["StringEquals"]): step(choice["Next"])
        for name, task in states.items()
        if task["Type"] == "Task" and name != "CloseRun"
        for choice in states[task["Next"]]["Choices"]
    }
    ended = [way for way, following in ways.items() if following in ("close_run", "duplicate")]
    assert ended == [("plan_run", "duplicate"), ("load_result", "loaded")]
    first = step(json.loads(definition)["StartAt"])
    assert {(None, ""): first} | ways == dict(NEXT_STEP) | {way: ways[way] for way in ended}


def test_the_functions_get_every_setting_that_they_read(template: Template) -> None:
    for function in resources(template, "AWS::Lambda::Function"):
        variables = function["Properties"]["Environment"]["Variables"]
        plain: dict[str, str] = {
            name: value if isinstance(value, str) else "reference" for name, value in variables.items()
        }
        assert Settings.from_environment(plain).customer_id == "1234"


def test_only_the_load_carries_the_engine(template: Template) -> None:
    layers = {
        function["Properties"]["FunctionName"].removeprefix("symplify-lake-"): len(function["Properties"]["Layers"])
        for function in resources(template, "AWS::Lambda::Function")
    }
    assert layers == {
        "plan-run": 1,
        "start-export": 1,
        "check-batch": 1,
        "copy-result": 1,
        "load-result": 2,
        "close-run": 1,
        "watch-runs": 1,
        "write-report": 1,
    }


def test_parallelism_is_bounded_by_the_rules_and_the_lease_and_no_function_reserves_concurrency(
    template: Template,
) -> None:
    for function in resources(template, "AWS::Lambda::Function"):
        assert "ReservedConcurrentExecutions" not in function["Properties"]
    # One function at a time works for a run; a type's lease admits one run, and its rule starts one a night.
    (definition,) = definitions(template.to_json()).values()
    kinds = {state["Type"] for state in json.loads(definition)["States"].values()}
    assert kinds == {"Task", "Choice", "Wait", "Succeed", "Fail"}
    starts = [rule["ScheduleExpression"] for rule in export_rules(template)]
    assert len(set(starts)) == len(starts) == len(EXPORT_TYPES)


def test_every_function_has_a_role_and_a_log_group_of_its_own(template: Template) -> None:
    functions = resources(template, "AWS::Lambda::Function")
    roles = {json.dumps(function["Properties"]["Role"]) for function in functions}
    groups = {json.dumps(function["Properties"]["LoggingConfig"]["LogGroup"]) for function in functions}
    assert len(roles) == len(groups) == len(functions) == 8
    assert all("RetentionInDays" in group["Properties"] for group in resources(template, "AWS::Logs::LogGroup"))


def test_no_statement_allows_everything(template: Template) -> None:
    for policy in resources(template, "AWS::IAM::Policy") + resources(template, "AWS::IAM::ManagedPolicy"):
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]:
            actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
            assert not any("*" in action for action in actions)
            if statement["Resource"] == "*":
                # X-Ray, log delivery and three lists of Athena's know no resources.
                assert all(action.startswith(("xray:", "logs:", "athena:List")) for action in actions)


def test_tags_of_the_settings_stand_on_what_costs_money() -> None:
    template = synthesized(tags={"team": "data"})
    for kind in (
        "AWS::S3::Bucket",
        "AWS::Lambda::Function",
        "AWS::DynamoDB::Table",
        "AWS::StepFunctions::StateMachine",
    ):
        for resource in resources(template, kind):
            assert {"Key": "team", "Value": "data"} in resource["Properties"]["Tags"]


def test_every_name_begins_with_the_stacks_so_that_two_live_in_one_account() -> None:
    template = synthesized(stackName="brand-b").to_json()
    for resource in template["Resources"].values():
        for name, value in resource["Properties"].items():
            if resource["Type"] == "AWS::Lambda::Permission":
                continue
            if name in ("Name", "FunctionName", "TableName", "QueueName", "ManagedPolicyName", "StateMachineName"):
                start = value["Fn::Join"][1][0] if isinstance(value, dict) else value
                assert start.startswith(("brand-b", "brand_b"))
    text = json.dumps(template)
    assert "symplify-lake" not in text
    assert "symplify_lake" not in text
