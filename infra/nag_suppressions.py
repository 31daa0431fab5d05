"""Findings of the security checks that stand, each with its reason. Only the exact finding is accepted."""

from collections.abc import Iterable
from typing import Any

from aws_cdk import Acknowledgment, Stack, Validations
from aws_cdk import aws_iam as iam
from constructs import IConstruct


def accept(construct: IConstruct, finding: str, reason: str, pack: str = "AwsSolutions") -> None:
    """Record that a finding, such as `AwsSolutions-S1`, stands for this construct."""
    Validations.of(construct).acknowledge(Acknowledgment(id=f"{pack}::{finding}", reason=reason))


def accept_wildcards(construct: IConstruct, statements: Iterable[iam.PolicyStatement], reason: str) -> None:
    """Record that the `*` at the end of these statements' resources stands."""
    for resource in [arn for statement in statements for arn in statement.resources]:
        spelled = _spelled(Stack.of(construct).resolve(resource))
        if "*" in spelled:
            accept(construct, f"AwsSolutions-IAM5[Resource::{spelled}]", reason)


def _spelled(value: Any) -> str:
    """An ARN as the checks write it, with `<Name>` for what only the deployment knows."""
    match value:
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_spelled, parts))
        case {"Fn::GetAtt": [name, attribute]}:
            return f"<{name}.{attribute}>"
        case {"Ref": name}:
            return f"<{name}>"
    return str(value)
