"""The variants of the stack, which `make check` checks with the stack itself, and what finds a wrong policy in them."""

import json

import pytest

from infra.references import resolved
from infra.variants import VARIANTS
from tests.infra.synthesis import Template, synthesized


@pytest.mark.parametrize("name", ["china", "govcloud"])
def test_no_arn_names_another_partition_than_that_of_its_place(name: str) -> None:
    variant = VARIANTS[name]
    template: Template = synthesized(**variant.changes)
    text = json.dumps(resolved(template.to_json()["Resources"], template.to_json(), variant.place))
    assert f"arn:{variant.place.partition}:" in text
    assert "arn:aws:" not in text


def test_an_unknown_action_and_a_wrong_kind_of_resource_are_found() -> None:
    from infra.policies import Grant  # noqa: PLC0415
    from infra.policy_check import findings  # noqa: PLC0415

    bucket = "arn:aws:s3:::bucket"
    wrong = [("s3:ReadObject", f"{bucket}/*"), ("s3:GetObject", bucket), ("glue:GetTable", "*")]
    statements = [{"Effect": "Allow", "Action": action, "Resource": resource} for action, resource in wrong]
    found = [findings([Grant("some", statements=(statement,))]) for statement in statements]
    assert [one.split(": ")[1] for (one,) in found] == ["UNKNOWN_ACTION", "RESOURCE_MISMATCH", "RESOURCE_STAR"]
