"""Accepted findings of the security checks, each with its reason. Only the exact finding is accepted."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def accept(construct: IConstruct, finding: str, reason: str, pack: str = "AwsSolutions") -> None:
    """Accept a finding, such as `AwsSolutions-S1`, for this construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{pack}::{finding}", reason=reason))


def accept_wildcards(construct: IConstruct, statements: Iterable[iam.PolicyStatement], reason: str) -> None:
    """Accept the `*` at the end of these statements' resources."""
    for resource in [arn for statement in statements for arn in statement.resources]:
        spelled = _spelled(Stack.of(construct).resolve(resource))
        if "*" in spelled:
            accept(construct, f"AwsSolutions-IAM5[Resource::{spelled}]", reason)


def _spelled(value: Any) -> str:
    """An ARN in the notation of the checks, with `<Name>` for what the deployment fills in."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_spelled, parts))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
    return str(value)
