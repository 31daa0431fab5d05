"""Each line of preflight says what to do, by answers that AWS's own models accept."""

import json
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from infra.settings import from_context
from lambdas.vocabulary import EXPORT_TYPES
from local.checks import Check
from local.preflight import preflight
from local.preflight.target import Target
from tests.infra.synthesis import CONTEXT
from tests.local.answers import Answer, Scripted

KEY = "arn:aws:kms:eu-west-1:111122223333:key/1234"
ROLE = "arn:aws:iam::111122223333:role/cdk-hnb659fds-cfn-exec-role-111122223333-eu-west-1"
EVERYBODY = {"Principal": {"DataLakePrincipalIdentifier": "IAM_ALLOWED_PRINCIPALS"}, "Permissions": ["ALL"]}
OPEN = [EVERYBODY]
WHEN = "2026-11-27T10:00:00Z"


def missing(code: str) -> tuple[str, str]:
    return code, "not there"


def stack(status: str) -> Mapping[str, Any]:
    return {"Stacks": [{"StackName": "symplify-lake", "CreationTime": WHEN, "StackStatus": status}]}


def grants(*principals: str) -> Mapping[str, Any]:
    return {
        "PrincipalResourcePermissions": [
            {
                "Principal": {"DataLakePrincipalIdentifier": one},
                "Resource": {"Catalog": {}},
                "Permissions": ["CREATE_DATABASE"],
            }
            for one in principals
        ]
    }


def lake(admins: tuple[str, ...] = (), default: Any = OPEN) -> Mapping[str, Any]:
    return {
        "DataLakeSettings": {
            "DataLakeAdmins": [{"DataLakePrincipalIdentifier": one} for one in admins],
            "CreateDatabaseDefaultPermissions": default,
            "CreateTableDefaultPermissions": default,
        }
    }


def catalog(mode: str = "SSE-KMS", **more: str) -> Mapping[str, Any]:
    return {"DataCatalogEncryptionSettings": {"EncryptionAtRest": {"CatalogEncryptionMode": mode, **more}}}


def key(manager: str = "CUSTOMER") -> Mapping[str, Any]:
    return {"KeyMetadata": {"KeyId": "1234", "Arn": KEY, "KeyManager": manager}}


def simulated(decision: str = "allowed", **details: Any) -> Mapping[str, Any]:
    result = {"EvalActionName": "s3:CreateBucket", "EvalResourceName": "*", "EvalDecision": decision, **details}
    return {"EvaluationResults": [result], "IsTruncated": False}


def concurrency(free: int, of: int) -> Mapping[str, Any]:
    return {"AccountLimit": {"ConcurrentExecutions": of, "UnreservedConcurrentExecutions": free}}


ROLE_FOUND = {
    "Role": {
        "Path": "/",
        "RoleName": ROLE.rsplit("/", 1)[-1],
        "RoleId": "AROAAAAAAAAAAAAAAAAA",
        "Arn": ROLE,
        "CreateDate": WHEN,
    }
}
DATABASE = {"Database": {"Name": "symplify_lake"}}
LEDGER = {"Table": {"TableName": "symplify-lake-ledger"}}
POLICY = {"Policy": {"PolicyName": "symplify-lake-analysts"}}

READY: Mapping[str, Answer] = {
    "ssm__get_parameter": {"Parameter": {"Value": "28"}},
    "s3__head_bucket": {},
    "iam__get_role": ROLE_FOUND,
    "cloudformation__describe_stacks": stack("UPDATE_COMPLETE"),
    "lambda__get_account_settings": concurrency(1000, 1000),
    "lakeformation__get_data_lake_settings": lake(),
    "lakeformation__list_permissions": grants("IAM_ALLOWED_PRINCIPALS"),
    "glue__get_data_catalog_encryption_settings": catalog("DISABLED"),
    "iam__simulate_principal_policy": simulated(),
}
# A stack that is not there, and nothing of it.
NEW: Mapping[str, Answer] = {
    "cloudformation__describe_stacks": ("ValidationError", "Stack with id symplify-lake does not exist"),
    "s3__head_bucket": missing("404"),
    "glue__get_database": missing("EntityNotFoundException"),
    "dynamodb__describe_table": missing("ResourceNotFoundException"),
    "iam__get_policy": missing("NoSuchEntity"),
}


def target(answers: Mapping[str, Answer], *, token: str = "", **settings: Any) -> Target:
    return Target(
        settings=from_context(CONTEXT | {"customerId": "77"} | settings),
        client=lambda service: Scripted(service, answers),
        account="111122223333",
        region="eu-west-1",
        partition="aws",
        token=token,
    )


def checked(name: str, answers: Mapping[str, Answer], **settings: Any) -> Check:
    (found,) = [one for one in preflight.examine(target({**READY, **answers}, **settings)) if one.name == name]
    return found


def test_an_account_that_is_ready_has_a_tick_everywhere_but_for_the_token_that_was_not_given() -> None:
    found = {one.name: one.mark for one in preflight.examine(target(READY))}
    assert found == dict.fromkeys(preflight.CHECKS, "✓") | {"symplify": "?"}


@pytest.mark.parametrize(
    ("name", "answers", "words"),
    [
        ("bootstrap", {"ssm__get_parameter": missing("ParameterNotFound")}, "run make bootstrap"),
        ("bootstrap", {"ssm__get_parameter": {"Parameter": {"Value": "5"}}}, "version 5, and 6 is needed: run make"),
        ("bootstrap", {"s3__head_bucket": missing("404")}, "is gone. Delete the stack CDKToolkit"),
        ("bootstrap", {"iam__get_role": missing("NoSuchEntity")}, "is gone. Delete the stack CDKToolkit"),
        ("stack", {"cloudformation__describe_stacks": stack("UPDATE_IN_PROGRESS")}, "Wait until it has ended"),
        ("stack", {"cloudformation__describe_stacks": stack("DELETE_FAILED")}, "aws cloudformation delete-stack"),
        ("stack", {"cloudformation__describe_stacks": stack("ROLLBACK_FAILED")}, "aws cloudformation delete-stack"),
        ("stack", {"cloudformation__describe_stacks": stack("UPDATE_ROLLBACK_FAILED")}, "continue-update-rollback"),
        ("names", {**NEW, "s3__head_bucket": {}}, "aws s3 rb s3://symplify-lake-111122223333-eu-west-1"),
        ("names", {**NEW, "glue__get_database": DATABASE}, "aws glue delete-database --name symplify_lake"),
        ("names", {**NEW, "dynamodb__describe_table": LEDGER}, "aws dynamodb delete-table --table-name symplify-lake-"),
        ("names", {**NEW, "iam__get_policy": POLICY}, "aws iam delete-policy --policy-arn arn:aws:iam::111122223333:"),
        ("quotas", {"lambda__get_account_settings": concurrency(9, 10)}, "aws service-quotas request-service-quota"),
        ("lake formation", {"lakeformation__list_permissions": grants("someone")}, f"Identifier={ROLE} --permissions"),
        ("permissions", {"iam__simulate_principal_policy": simulated(
            "implicitDeny", OrganizationsDecisionDetail={"AllowedByOrganizations": False})}, "(SCP) denies CDK's role"),
        ("permissions", {"iam__simulate_principal_policy": simulated(
            "implicitDeny", PermissionsBoundaryDecisionDetail={"AllowedByPermissionsBoundary": False})}, "boundary of"),
        ("permissions", {"iam__simulate_principal_policy": simulated("explicitDeny")}, "A policy of CDK's role denies"),
    ],
)  # fmt: skip
def test_what_is_in_the_way_is_found_with_what_to_do(name: str, answers: Mapping[str, Answer], words: str) -> None:
    found = checked(name, answers)
    assert (found.mark, words in found.words) == ("✗", True), found


@pytest.mark.parametrize("name", [name for name in preflight.CHECKS if name != "symplify"])
def test_a_right_to_ask_that_the_caller_lacks_is_a_line_and_no_failure(name: str) -> None:
    asks = target({"s3__head_bucket": ("403", "Forbidden")})
    (found,) = [one for one in preflight.examine(asks) if one.name == name]
    assert (found.mark, found.is_well) == ("?", True)
    assert "may not" in found.words


def test_another_error_of_aws_is_no_tick() -> None:
    found = checked("quotas", {"lambda__get_account_settings": ("ServiceException", "Try later")})
    assert (found.mark, found.words) == ("✗", "ServiceException: Try later")


def test_a_new_account_is_told_that_it_has_ten_functions_at_a_time_which_a_night_alone_can_do_with() -> None:
    found = checked("quotas", {"lambda__get_account_settings": concurrency(10, 10)})
    assert (found.mark, "if nothing else runs then" in found.words) == ("✓", True)
    few = {"exports": {name: name == "OPENS" for name in EXPORT_TYPES}}
    assert checked("quotas", {"lambda__get_account_settings": concurrency(1, 10)}, **few).is_well


def test_what_a_failed_try_left_empty_is_deleted_and_what_a_removed_stack_left_is_taken_over() -> None:
    found = checked("names", {**NEW, "glue__get_database": DATABASE})
    assert "useExistingData" not in found.words
    left = {**NEW, "s3__head_bucket": {}, "glue__get_database": DATABASE, "dynamodb__describe_table": LEDGER}
    assert "set useExistingData to take it over" in checked("names", left).words
    assert checked("names", left, useExistingData=True).mark == "✓"
    found = checked("names", NEW, useExistingData=True)
    assert (found.mark, "there is no bucket symplify-lake-" in found.words) == ("✗", True)


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "REVIEW_IN_PROGRESS"])
def test_a_stack_that_a_failed_try_left_is_not_in_the_way_but_its_things_are(status: str) -> None:
    answers = {**NEW, "cloudformation__describe_stacks": stack(status), "glue__get_database": DATABASE}
    assert checked("stack", answers).is_well
    assert not checked("names", answers).is_well


@pytest.mark.parametrize(
    "answers",
    [
        {"lakeformation__list_permissions": grants("someone", ROLE)},
        {"lakeformation__list_permissions": grants(), "lakeformation__get_data_lake_settings": lake((ROLE,), [])},
    ],
)
def test_cdks_role_may_create_a_database_by_a_grant_or_as_lake_formations_administrator(
    answers: Mapping[str, Answer],
) -> None:
    assert checked("lake formation", answers).mark == "✓"


def test_where_nobody_has_touched_lake_formation_it_shows_no_grant_and_iam_alone_decides() -> None:
    found = checked("lake formation", {"lakeformation__list_permissions": grants()})
    assert (found.mark, found.words) == ("✓", "IAM alone decides")


def test_lake_formation_that_shows_no_grant_to_the_caller_is_in_doubt_with_whom_to_ask() -> None:
    answers = {
        "lakeformation__get_data_lake_settings": lake(default=[]),
        "lakeformation__list_permissions": grants(),
    }
    found = checked("lake formation", answers)
    assert (found.mark, f"DataLakePrincipalIdentifier={ROLE} " in found.words) == ("?", True)


def test_a_lake_formation_that_will_guard_the_tables_is_announced() -> None:
    answers = {
        "lakeformation__get_data_lake_settings": lake(default=[]),
        "lakeformation__list_permissions": grants(ROLE),
    }
    assert "make doctor prints what its administrator grants" in checked("lake formation", answers).words


@pytest.mark.parametrize(
    "answers",
    [
        {"glue__get_data_catalog_encryption_settings": catalog("SSE-KMS-WITH-SERVICE-ROLE", SseAwsKmsKeyId=KEY)},
        {"glue__get_data_catalog_encryption_settings": catalog(), "kms__describe_key": key("AWS")},
    ],
)
def test_an_encrypted_catalog_whose_key_nobody_needs_is_well(answers: Mapping[str, Answer]) -> None:
    assert checked("catalog key", answers).mark == "✓"


def test_a_key_of_the_catalogs_that_functions_will_need_comes_with_the_statement_that_lets_them() -> None:
    answers = {
        "glue__get_data_catalog_encryption_settings": catalog(SseAwsKmsKeyId=KEY),
        "kms__describe_key": key(),
        "kms__get_key_policy": {"Policy": "{}"},
    }
    found = checked("catalog key", answers)
    assert (found.mark, KEY in found.words) == ("?", True)
    _, _, statement = found.words.partition("has it: ")
    facts = {"kms:CallerAccount": "111122223333", "kms:ViaService": "glue.eu-west-1.amazonaws.com"}
    assert json.loads(statement)["Condition"]["StringEquals"] == facts
    assert checked("catalog key", {**answers, "kms__get_key_policy": {"Policy": statement}}).mark == "✓"
    assert checked("catalog key", answers, kmsKeyArn=KEY).mark == "✓"


def test_a_role_that_is_not_plainly_allowed_everything_is_in_doubt_and_no_failure() -> None:
    found = checked("permissions", {"iam__simulate_principal_policy": simulated("implicitDeny")})
    assert (found.mark, "s3:CreateBucket" in found.words) == ("?", True)


def test_credentials_that_aws_refuses_are_a_line_after_which_nothing_is_asked() -> None:
    refused = {"sts__get_caller_identity": ("ExpiredToken", "The security token is expired")}
    session: Any = SimpleNamespace(region_name="eu-west-1", client=lambda service: Scripted(service, refused))
    *_, last = preflight.preflight(session, {"customerId": "77"}, "")
    assert (last.name, last.mark) == ("credentials", "✗")
    assert "Sign in again" in last.words


@pytest.mark.parametrize(("policy", "is_safe"), [("Delete", False), ("RetainExceptOnCreate", True)])
def test_a_stack_whose_data_would_go_with_a_setting_is_not_deployed(policy: str, is_safe: bool) -> None:
    body = json.dumps({"Resources": {"Bucket": {"Type": "AWS::S3::Bucket", "DeletionPolicy": policy}}})
    found = checked("names", {"cloudformation__get_template": {"TemplateBody": body}}, useExistingData=True)
    assert found.is_well is is_safe
    assert is_safe or "delete all of its data" in found.words
