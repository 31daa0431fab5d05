"""Every role of a template with what it may do, and the policies of resources, as IAM gets them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra.references import Place, resolved

Statement = Mapping[str, Any]


@dataclass(frozen=True)
class Grant:
    """A role, or a managed policy, and its statements."""

    name: str
    """Of what has the role: a function, the state machine, the rules; or of the policy."""
    trusts: tuple[str, ...] = ()
    """Who may assume the role; none for a policy that people attach."""
    statements: tuple[Statement, ...] = ()
    managed: tuple[str, ...] = ()
    """Policies of AWS's own that the role has."""

    def document(self) -> dict[str, Any]:
        """The statements as one policy."""
        return {"Version": "2012-10-17", "Statement": list(self.statements)}


def grants(template: Mapping[str, Any], place: Place) -> list[Grant]:
    """The roles by their logical ids, then the managed policies."""
    found = resolved(template["Resources"], template, place)
    return [
        *(_role(name, role, found) for name, role in found.items() if role["Type"] == "AWS::IAM::Role"),
        *(_policy(one) for one in found.values() if one["Type"] == "AWS::IAM::ManagedPolicy"),
    ]


_GUARDED = {
    "AWS::S3::BucketPolicy": "bucket",
    "AWS::SNS::TopicPolicy": "alert topic",
    "AWS::SQS::QueuePolicy": "dead-letter queue",
}


def resource_policies(template: Mapping[str, Any], place: Place) -> list[Grant]:
    """The policies of what is guarded by one of its own; their statements name principals, and most of them deny."""
    found = resolved(template["Resources"], template, place).values()
    return [
        Grant(name, statements=tuple(one["Properties"]["PolicyDocument"]["Statement"]))
        for kind, name in _GUARDED.items()
        for one in found
        if one["Type"] == kind
    ]


def _role(name: str, role: Mapping[str, Any], resources: Mapping[str, Any]) -> Grant:
    trusted = [one["Principal"]["Service"] for one in role["Properties"]["AssumeRolePolicyDocument"]["Statement"]]
    attached = (
        one["Properties"]["PolicyDocument"]["Statement"]
        for one in resources.values()
        if one["Type"] == "AWS::IAM::Policy" and name in one["Properties"]["Roles"]
    )
    return Grant(
        name=_user(name, resources),
        trusts=tuple(trusted),
        statements=tuple(statement for some in attached for statement in some),
        managed=tuple(role["Properties"].get("ManagedPolicyArns", ())),
    )


def _policy(policy: Mapping[str, Any]) -> Grant:
    return Grant("analysts", statements=tuple(policy["Properties"]["PolicyDocument"]["Statement"]))


def _user(role: str, resources: Mapping[str, Any]) -> str:
    """What works under a role: the handler of a function, or the kind of another thing."""
    for one in resources.values():
        properties = one.get("Properties", {})
        if str(properties.get("Role", "")).endswith(f":role/{role}"):
            module = str(properties["Handler"]).split(".")[-2]
            # A function of CDK's own has no package: one makes the budget, another one empties the bucket.
            of_cdk = "make_budget" if role.startswith("Budget") else "empty_bucket"
            return of_cdk if module == "index" else module
        if str(properties.get("RoleArn", "")).endswith(f":role/{role}"):
            return "state machine"
    return "nightly rules"


def actions(statement: Statement) -> list[str]:
    """The actions of a statement, also where it has a single one."""
    return _listed(statement["Action"])


def targets(statement: Statement) -> list[str]:
    """The resources of a statement, also where it has a single one."""
    return _listed(statement["Resource"])


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else list(value)
