"""The stack, synthesized once for all tests of its template."""

import json
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App
from aws_cdk.assertions import Template

from infra.settings import from_context
from infra.stack import SymplifyLake

CONTEXT: dict[str, Any] = json.loads((Path(__file__).parents[2] / "cdk.json").read_text())["context"]


def synthesized(**changes: Any) -> Template:
    """The template for the settings of cdk.json with some changed."""
    app = App(analytics_reporting=False)
    return Template.from_stack(SymplifyLake(app, from_context(CONTEXT | {"customerId": "1234"} | changes)))


@pytest.fixture(scope="session")
def template() -> Template:
    return synthesized()
