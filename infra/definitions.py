"""The state machines of a template, as Step Functions gets them."""

from collections.abc import Mapping
from typing import Any


def definitions(template: Mapping[str, Any]) -> dict[str, str]:
    """The definitions of a template's state machines by logical id, with a name in place of every reference."""
    return {
        name: _resolved(resource["Properties"]["DefinitionString"])
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    }


def _resolved(value: Any) -> str:
    match value:
        case str():
            return value
        case {"Fn::Join": [separator, parts]}:
            return str(separator).join(map(_resolved, parts))
        case {"Fn::GetAtt": [name, "Arn"]}:
            return f"arn:aws:lambda:eu-west-1:123456789012:function:{name}"
        case {"Ref": "AWS::Partition"}:
            return "aws"
    raise ValueError(f"The definition holds {value}, which this check does not resolve.")
