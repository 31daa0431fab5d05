"""What preflight takes for given is what the template has."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from infra.settings import from_context
from local.preflight.account import BOOTSTRAP_VERSION, CREATING
from local.preflight.target import Target
from tests.infra.synthesis import CONTEXT, Template, synthesized


@pytest.fixture
def template() -> Template:
    return synthesized()


@pytest.fixture
def target() -> Target:
    return Target(
        settings=from_context(CONTEXT | {"customerId": "1234"}),
        client=lambda _: None,
        account="AWS::AccountId",
        region="AWS::Region",
        partition="aws",
    )


def joined(name: Mapping[str, Any]) -> str:
    return "".join(part if isinstance(part, str) else part["Ref"] for part in name["Fn::Join"][1])


def test_the_names_that_preflight_looks_for_are_the_stacks(template: Template, target: Target) -> None:
    (bucket,) = template.find_resources("AWS::S3::Bucket").values()
    assert joined(bucket["Properties"]["BucketName"]) == target.bucket
    (database,) = template.find_resources("AWS::Glue::Database").values()
    assert database["Properties"]["DatabaseInput"]["Name"] == target.settings.database
    (ledger,) = template.find_resources("AWS::DynamoDB::Table").values()
    assert ledger["Properties"]["TableName"] == target.ledger
    (policy,) = template.find_resources("AWS::IAM::ManagedPolicy").values()
    assert target.analysts_policy.endswith(f":policy/{joined(policy['Properties']['ManagedPolicyName'])}")


@pytest.mark.parametrize(
    "changes", [{}, {"useExistingData": True}, {"alertEmails": ["team@example.com", "ops@example.com"]}]
)
def test_preflight_asks_whether_each_type_of_resource_may_be_made(changes: dict[str, object]) -> None:
    types = {one["Type"] for one in synthesized(**changes).to_json()["Resources"].values()}
    unknown = types - CREATING.keys() - {"AWS::CDK::Metadata"}
    assert not unknown, f"CREATING in local/preflight/account.py lacks what makes {unknown}"


def test_preflight_asks_for_the_version_of_the_bootstrap_that_cdk_needs(tmp_path: Path, template: Template) -> None:
    # Imported here, as in `synthesis.py`.
    from aws_cdk import App, Stack  # noqa: PLC0415

    app = App(outdir=str(tmp_path), analytics_reporting=False)
    Stack(app, "empty")
    app.synth()
    found = json.loads((tmp_path / "manifest.json").read_text())["artifacts"]["empty"]["properties"]
    assert found["requiresBootstrapStackVersion"] == BOOTSTRAP_VERSION
    assert template.to_json()["Parameters"]["BootstrapVersion"]["Default"] == "/cdk-bootstrap/hnb659fds/version"
