"""A template's references, resolved as a deployment to some place would: for what reads policies and definitions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Place:
    """Where a template is deployed."""

    region: str = "eu-west-1"
    partition: str = "aws"
    account: str = "123456789012"


# The ARN of a resource from the logical id and the property that names it, if it has one.
_ARNS: Mapping[str, tuple[str, str | None]] = {
    "AWS::DynamoDB::Table": ("dynamodb:{region}:{account}:table/{name}", "TableName"),
    "AWS::Events::Rule": ("events:{region}:{account}:rule/{name}", "Name"),
    "AWS::IAM::ManagedPolicy": ("iam::{account}:policy/{name}", "ManagedPolicyName"),
    "AWS::IAM::Role": ("iam::{account}:role/{name}", "RoleName"),
    "AWS::Lambda::Function": ("lambda:{region}:{account}:function:{name}", "FunctionName"),
    "AWS::Logs::LogGroup": ("logs:{region}:{account}:log-group:{name}:*", "LogGroupName"),
    "AWS::S3::Bucket": ("s3:::{name}", "BucketName"),
    "AWS::SNS::Topic": ("sns:{region}:{account}:{name}", "TopicName"),
    "AWS::SQS::Queue": ("sqs:{region}:{account}:{name}", "QueueName"),
    "AWS::SecretsManager::Secret": ("secretsmanager:{region}:{account}:secret:{name}-AbCdEf", "Name"),
    "AWS::StepFunctions::StateMachine": ("states:{region}:{account}:stateMachine:{name}", "StateMachineName"),
}
# Whose `Ref` is the ARN, where others' is the name.
_REF_IS_ARN = {
    *("AWS::IAM::ManagedPolicy", "AWS::SNS::Topic", "AWS::SecretsManager::Secret", "AWS::StepFunctions::StateMachine"),
}


def resolved(value: Any, template: Mapping[str, Any], place: Place) -> Any:
    """A value of the template without references; what has no name of its own is called by its logical id.

    Raises:
        KeyError: it refers to a type of resource that this does not know.
    """
    match value:
        case {"Ref": str(name)}:
            return _reference(name, template, place)
        case {"Fn::GetAtt": [str(name), str(attribute)]}:
            return _attribute(name, attribute, template, place)
        case {"Fn::Join": [str(separator), list(parts)]}:
            return separator.join(str(resolved(part, template, place)) for part in parts)
        case {"Fn::Sub": str(text)}:
            return re.sub(r"\$\{(.+?)\}", lambda found: _reference(found[1], template, place), text)
        case Mapping():
            return {key: resolved(one, template, place) for key, one in value.items()}
        case list():
            return [resolved(one, template, place) for one in value]
    return value


def _reference(name: str, template: Mapping[str, Any], place: Place) -> str:
    pseudo = {
        "AWS::AccountId": place.account,
        "AWS::Partition": place.partition,
        "AWS::Region": place.region,
        "AWS::StackId": f"arn:{place.partition}:cloudformation:{place.region}:{place.account}:stack/STACK/ID",
        "AWS::URLSuffix": "amazonaws.com",
    }
    if name in pseudo:
        return pseudo[name]
    kind = template["Resources"][name]["Type"]
    return _arn(name, template, place) if kind in _REF_IS_ARN else _name(name, template, place)


def _attribute(name: str, attribute: str, template: Mapping[str, Any], place: Place) -> str:
    return _arn(name, template, place) if attribute in ("Arn", "Id", "TopicArn") else _name(name, template, place)


def _arn(name: str, template: Mapping[str, Any], place: Place) -> str:
    ending, _ = _ARNS[template["Resources"][name]["Type"]]
    found = _name(name, template, place)
    return f"arn:{place.partition}:{ending.format(region=place.region, account=place.account, name=found)}"


def _name(name: str, template: Mapping[str, Any], place: Place) -> str:
    resource = template["Resources"][name]
    _, named_by = _ARNS.get(resource["Type"], ("", None))
    given = resource.get("Properties", {}).get(named_by)
    return name if given is None else str(resolved(given, template, place))
