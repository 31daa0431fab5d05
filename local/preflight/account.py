"""What the account must have before a deployment: CDK's bootstrap, room for functions, and nobody who forbids it."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from lambdas.vocabulary import EXPORT_TYPES
from local.checks import Check, is_denied, unknown
from local.preflight.target import Target

BOOTSTRAP_VERSION = 6
"""What a stack of this CDK needs; a test holds it to what CDK says."""

_SHOWN = 5
_AGAIN = "Delete the stack CDKToolkit, then run make bootstrap again."

CREATING: Mapping[str, str] = {
    "AWS::Athena::WorkGroup": "athena:CreateWorkGroup",
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard",
    "AWS::DynamoDB::Table": "dynamodb:CreateTable",
    "AWS::Events::Rule": "events:PutRule",
    "AWS::Glue::Database": "glue:CreateDatabase",
    "AWS::IAM::ManagedPolicy": "iam:CreatePolicy",
    "AWS::IAM::Policy": "iam:PutRolePolicy",
    "AWS::IAM::Role": "iam:CreateRole",
    "AWS::Lambda::Function": "lambda:CreateFunction",
    "AWS::Lambda::LayerVersion": "lambda:PublishLayerVersion",
    "AWS::Lambda::Permission": "lambda:AddPermission",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup",
    "AWS::S3::Bucket": "s3:CreateBucket",
    "AWS::S3::BucketPolicy": "s3:PutBucketPolicy",
    "AWS::SNS::Subscription": "sns:Subscribe",
    "AWS::SNS::Topic": "sns:CreateTopic",
    "AWS::SNS::TopicPolicy": "sns:SetTopicAttributes",
    "AWS::SQS::Queue": "sqs:CreateQueue",
    "AWS::SQS::QueuePolicy": "sqs:SetQueueAttributes",
    "AWS::SecretsManager::Secret": "secretsmanager:CreateSecret",
    "AWS::StepFunctions::StateMachine": "states:CreateStateMachine",
}
"""The action that makes each type of resource in the stack."""


def bootstrap(target: Target) -> Check:
    """Whether CDK has prepared the account, recently enough, and nobody has removed a part of it since."""
    name, where = "bootstrap", f"{target.account} in {target.region}"
    try:
        found = target.client("ssm").get_parameter(Name=target.version_parameter)["Parameter"]["Value"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "ParameterNotFound":
            return Check(name, False, f"The account {where} is not prepared for CDK: run make bootstrap.")
        raise
    if not found.isdecimal() or int(found) < BOOTSTRAP_VERSION:
        words = f"CDK's bootstrap of {where} is version {found}, and {BOOTSTRAP_VERSION} is needed: run make bootstrap."
        return Check(name, False, words)
    # Both go when somebody cleans up by hand, while the parameter stays.
    if _is_missing(lambda: target.client("s3").head_bucket(Bucket=target.assets_bucket)):
        return Check(name, False, f"CDK's bucket {target.assets_bucket} is gone. {_AGAIN}")
    role = target.execution_role.rsplit("/", 1)[-1]
    if _is_missing(lambda: target.client("iam").get_role(RoleName=role)):
        return Check(name, False, f"CDK's role {role} is gone. {_AGAIN}")
    return Check(name, True, f"version {found}")


def quotas(target: Target) -> Check:
    """Whether Lambda runs as many functions at a time as the exports of a night may need: one for each."""
    name = "quotas"
    limits = target.client("lambda").get_account_settings()["AccountLimit"]
    free, needed = limits["UnreservedConcurrentExecutions"], sum(map(target.settings.is_on, EXPORT_TYPES))
    request = (
        "aws service-quotas request-service-quota-increase --service-code lambda --quota-code L-B99A9384 "
        "--desired-value 1000"
    )
    if free < needed:
        words = (
            f"Lambda runs {free} functions at a time here besides those with reserved concurrency, and the "
            f"{needed} exports of a night may need one each. Ask AWS for more: {request}"
        )
        return Check(name, False, words)
    is_new = limits["ConcurrentExecutions"] < 100
    few = f", all that a night needs, if nothing else runs then; AWS gives more: {request}" if is_new else ""
    return Check(name, True, f"Lambda runs {free} functions at a time{few}")


def permissions(target: Target) -> Check:
    """Whether IAM, or a policy of the organization, denies CDK's role what makes the stack's resources."""
    name = "permissions"
    iam = target.client("iam")
    pages = iam.get_paginator("simulate_principal_policy").paginate(
        PolicySourceArn=target.execution_role,
        ActionNames=sorted({*CREATING.values(), "iam:PassRole"}),
        ContextEntries=[
            {"ContextKeyName": "aws:RequestedRegion", "ContextKeyValues": [target.region], "ContextKeyType": "string"}
        ],
    )
    try:
        found = [one for page in pages for one in page["EvaluationResults"]]
    except ClientError as error:
        if is_denied(error):
            return unknown(name, "You may not ask IAM what CDK's role may do (iam:SimulatePrincipalPolicy).")
        raise
    by_reason: dict[str, list[str]] = {}
    for one in found:
        if (reason := _denial(one)) is not None:
            by_reason.setdefault(reason, []).append(one["EvalActionName"])
    if not by_reason:
        return Check(name, True, "CDK's role may make all of it, as far as IAM's simulation knows")
    words = " ".join(f"{reason}: {_listed(actions)}." for reason, actions in by_reason.items())
    if list(by_reason) == [_NOT_ALLOWED]:
        return unknown(name, words)
    return Check(name, False, f"{words} Ask those who administer the account, then deploy.")


_NOT_ALLOWED = (
    "The policies of CDK's role do not allow these for every resource (whether they do for this stack's own is not "
    "asked; the option --cloudformation-execution-policies of cdk bootstrap chose them)"
)


def _listed(actions: list[str]) -> str:
    more = f" and {len(actions) - _SHOWN} more" if len(actions) > _SHOWN else ""
    return ", ".join(actions[:_SHOWN]) + more


def _denial(result: Mapping[str, Any]) -> str | None:
    """Why an action is denied."""
    if result["EvalDecision"] == "allowed":
        return None
    if not result.get("OrganizationsDecisionDetail", {}).get("AllowedByOrganizations", True):
        return "A policy of the organization (SCP) denies CDK's role"
    if not result.get("PermissionsBoundaryDecisionDetail", {}).get("AllowedByPermissionsBoundary", True):
        return "The permissions boundary of CDK's role denies it"
    return "A policy of CDK's role denies it" if result["EvalDecision"] == "explicitDeny" else _NOT_ALLOWED


def _is_missing(ask: Any) -> bool:
    """Whether something is not there; where nobody may ask, it is taken to be."""
    try:
        ask()
    except ClientError as error:
        if is_denied(error):
            return False
        if error.response["Error"]["Code"] in ("404", "NoSuchBucket", "NoSuchEntity"):
            return True
        raise
    return False
