"""A key of the team's own is on all that holds data, and each role may use that key and no other."""

from typing import Any

import pytest

from tests.infra.synthesis import Template, synthesized

KEY = "arn:aws:kms:eu-west-1:123456789012:key/11111111-2222-3333-4444-555555555555"


@pytest.fixture(scope="module")
def encrypted() -> Template:
    return synthesized(kmsKeyArn=KEY)


def only(template: Template, kind: str) -> dict[str, Any]:
    (found,) = template.find_resources(kind).values()
    return dict(found["Properties"])


def test_all_that_holds_data_is_under_the_key(encrypted: Template) -> None:
    (rule,) = only(encrypted, "AWS::S3::Bucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"] == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    assert only(encrypted, "AWS::DynamoDB::Table")["SSESpecification"]["KMSMasterKeyId"] == KEY
    assert only(encrypted, "AWS::SecretsManager::Secret")["KmsKeyId"] == KEY
    assert only(encrypted, "AWS::SNS::Topic")["KmsMasterKeyId"] == KEY
    assert only(encrypted, "AWS::SQS::Queue")["KmsMasterKeyId"] == KEY
    results = only(encrypted, "AWS::Athena::WorkGroup")["WorkGroupConfiguration"]["ResultConfiguration"]
    assert results["EncryptionConfiguration"] == {"EncryptionOption": "SSE_KMS", "KmsKey": KEY}


def test_every_function_and_every_analyst_may_use_exactly_that_key(encrypted: Template) -> None:
    policies = [
        policy["Properties"]["PolicyDocument"]["Statement"]
        for kind in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy")
        for policy in encrypted.find_resources(kind).values()
    ]
    using = [statement for policy in policies for statement in policy if statement.get("Sid") == "UseKey"]
    assert len(using) == len(encrypted.find_resources("AWS::Lambda::Function")) + 1
    for statement in (statement for policy in policies for statement in policy):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        if any(action.startswith("kms:") for action in actions):
            assert statement["Resource"] == KEY


def test_without_the_setting_the_template_has_no_key(template: Template) -> None:
    assert "kms:" not in str(template.to_json())


NAMED = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:symplify-AbCdEf"


def test_a_secrets_own_key_is_used_by_those_who_read_the_token_and_to_decrypt_alone() -> None:
    template = synthesized(tokenSecretArn=NAMED, tokenSecretKeyArn=KEY)
    using = {}
    for policy in template.find_resources("AWS::IAM::Policy").values():
        statements = {one.get("Sid"): one for one in policy["Properties"]["PolicyDocument"]["Statement"]}
        if "ReadToken" in statements or "kms:" in str(statements):
            using[policy["Properties"]["PolicyName"]] = statements["DecryptToken"]
    assert len(using) == 3
    wanted = {"Action": "kms:Decrypt", "Effect": "Allow", "Resource": KEY, "Sid": "DecryptToken"}
    assert list(using.values()) == [wanted] * 3


def test_functions_may_whatever_dynamodb_asks_of_a_key_for_its_tables(encrypted: Template) -> None:
    """https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/encryption.usagenotes.html."""
    wanted = {
        *("kms:Encrypt", "kms:Decrypt", "kms:ReEncryptFrom", "kms:ReEncryptTo", "kms:DescribeKey"),
        *("kms:GenerateDataKey", "kms:GenerateDataKeyWithoutPlaintext"),
    }
    policies = [
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in encrypted.find_resources("AWS::IAM::Policy").values()
    ]
    using = [set(one["Action"]) for some in policies for one in some if one.get("Sid") == "UseKey"]
    assert using == [wanted] * len(encrypted.find_resources("AWS::Lambda::Function"))
