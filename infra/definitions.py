"""The state machines of a template, as Step Functions gets them."""

from collections.abc import Mapping
from typing import Any

from infra.references import Place, resolved


def definitions(template: Mapping[str, Any]) -> dict[str, str]:
    """The definitions of a template's state machines by logical id, without references."""
    return {
        name: str(resolved(resource["Properties"]["DefinitionString"], template, Place()))
        for name, resource in template["Resources"].items()
        if resource["Type"] == "AWS::StepFunctions::StateMachine"
    }
