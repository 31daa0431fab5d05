"""Templates of the stack, synthesized once for each choice of settings."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

CONTEXT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]


@dataclass(frozen=True)
class Template:
    """A template as CloudFormation gets it."""

    content: Mapping[str, Any]

    def to_json(self) -> Mapping[str, Any]:
        """All of it."""
        return self.content

    def find_resources(self, kind: str) -> dict[str, Any]:
        """The resources of a type by their logical ids."""
        return {name: one for name, one in self.content["Resources"].items() if one["Type"] == kind}


def synthesized(**changes: Any) -> Template:
    """The template for the settings of cdk.json with some changed."""
    return Template(json.loads(_synthesized(json.dumps(changes, sort_keys=True))))


@cache
def _synthesized(changes: str) -> str:
    # Imported here: CDK starts a Node of its own, seconds that only the worker with these tests has to spend.
    from aws_cdk import App, assertions  # noqa: PLC0415

    from infra.settings import from_context  # noqa: PLC0415
    from infra.stack import SymplifyLake  # noqa: PLC0415

    app = App(analytics_reporting=False)
    settings = from_context(CONTEXT | {"customerId": "1234"} | json.loads(changes))
    return json.dumps(assertions.Template.from_stack(SymplifyLake(app, settings)).to_json())
