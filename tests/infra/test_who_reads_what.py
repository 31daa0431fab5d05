"""Who may read what is personal or secret, over all policies of the template: docs/security.md says so."""

import json
from collections.abc import Iterator
from typing import Any

from lambdas.lake.storage import keys
from tests.infra.synthesis import Template, synthesized

ANALYSTS = "analysts"


def granted(template: Template) -> Iterator[tuple[str, str, str]]:
    """What the policies allow: who, an action, and a resource as text. Who is a handler's name, or a role's id."""
    resources = template.to_json()["Resources"]
    handlers = {
        one["Properties"]["Role"]["Fn::GetAtt"][0]: one["Properties"]["Handler"].split(".")[2]
        for one in template.find_resources("AWS::Lambda::Function").values()
    }
    for one in resources.values():
        if one["Type"] not in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            continue
        roles = [role["Ref"] for role in one["Properties"].get("Roles", [])]
        who = [handlers.get(role, role) for role in roles] if one["Type"] == "AWS::IAM::Policy" else [ANALYSTS]
        for statement in one["Properties"]["PolicyDocument"]["Statement"]:
            assert statement["Effect"] == "Allow"
            for action in as_list(statement["Action"]):
                for resource in as_list(statement["Resource"]):
                    for name in who:
                        yield name, action, json.dumps(resource)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def readers(template: Template, prefix: str) -> set[str]:
    """Who may get objects under a prefix of the bucket."""
    return {who for who, action, resource in granted(template) if action == "s3:GetObject" and f"/{prefix}" in resource}


def test_only_the_steps_that_call_symplify_may_read_the_token(template: Template) -> None:
    found = [(who, resource) for who, action, resource in granted(template) if action.startswith("secretsmanager:")]
    assert {who for who, _ in found} == {"start_export", "check_batch", "copy_result"}
    (secret,) = template.find_resources("AWS::SecretsManager::Secret")
    assert all(secret in resource for _, resource in found)


def test_what_symplify_sent_is_read_by_the_copy_and_the_load_alone(template: Template) -> None:
    assert readers(template, keys.RAW) == {"copy_result", "load_result"}
    assert readers(template, keys.QUARANTINE) == set()


def test_analysts_read_tables_and_results_and_change_results_alone(template: Template) -> None:
    assert readers(template, keys.CURATED) == {"load_result", "write_report", ANALYSTS}
    assert readers(template, keys.QUERY_RESULTS) == {"write_report", ANALYSTS}
    assert readers(template, keys.REPORTS) == {ANALYSTS}
    changing = ("Put", "Create", "Update", "Delete", "Abort", "BatchCreate", "BatchUpdate", "BatchDelete")
    for who, action, resource in granted(template):
        service, name = action.split(":")
        if who == ANALYSTS and service != "athena" and name.startswith(changing):
            assert (service, f"/{keys.QUERY_RESULTS}" in resource) == ("s3", True), action
        if who == ANALYSTS:
            assert service in ("athena", "glue", "s3"), action


def test_no_object_is_readable_by_a_wider_resource_than_a_prefix(template: Template) -> None:
    prefixes = (keys.RAW, keys.CURATED, keys.QUARANTINE, keys.QUERY_RESULTS, keys.REPORTS)
    for who, action, resource in granted(template):
        if action.startswith("s3:") and "Object" in action:
            assert any(f"/{prefix}" in resource for prefix in prefixes), (who, action)


def test_no_function_is_in_a_network_of_the_accounts_and_none_has_an_address(template: Template) -> None:
    """The page says that nothing listens, and that no network limits where the functions call."""
    for kind in ("AWS::Lambda::Url", "AWS::ApiGateway::RestApi", "AWS::ApiGatewayV2::Api"):
        assert template.find_resources(kind) == {}
    for function in template.find_resources("AWS::Lambda::Function").values():
        assert "VpcConfig" not in function["Properties"]


def test_what_holds_data_without_a_key_of_the_teams_is_under_a_key_of_aws() -> None:
    plain = synthesized()
    (bucket,) = plain.find_resources("AWS::S3::Bucket").values()
    (rule,) = bucket["Properties"]["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    (queue,) = plain.find_resources("AWS::SQS::Queue").values()
    assert queue["Properties"]["SqsManagedSseEnabled"] is True
    (topic,) = plain.find_resources("AWS::SNS::Topic").values()
    assert "KmsMasterKeyId" not in topic["Properties"]
