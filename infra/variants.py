"""Choices of settings that make another template: each is checked as the one of `cdk.json` is."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from infra.references import Place


@dataclass(frozen=True)
class Variant:
    """Settings over those of `cdk.json`, and where the stack is deployed."""

    changes: Mapping[str, Any] = field(default_factory=dict)
    place: Place = field(default_factory=Place)


def key_arn(place: Place, name: str) -> str:
    """The ARN of some KMS key there."""
    return f"arn:{place.partition}:kms:{place.region}:{place.account}:key/{name * 8}-1111-2222-3333-444444444444"


def secret_arn(place: Place) -> str:
    """The ARN of some secret there."""
    return f"arn:{place.partition}:secretsmanager:{place.region}:{place.account}:secret:symplify-token-AbCdEf"


def _keys_and_secret(place: Place) -> dict[str, Any]:
    return {
        "kmsKeyArn": key_arn(place, "a"),
        "tokenSecretArn": secret_arn(place),
        "tokenSecretKeyArn": key_arn(place, "b"),
    }


_HERE, _ELSEWHERE = Place(), Place("us-east-1")
_CHINA, _GOVCLOUD = Place("cn-north-1", "aws-cn"), Place("us-gov-west-1", "aws-us-gov")
# Few, since each takes seconds: settings that do not meet in the template share a variant.
VARIANTS: Mapping[str, Variant] = {
    "data-goes-too": Variant(
        {
            "deleteDataWithStack": True,
            "nightlySummary": True,
            "architecture": "x86_64",
            "exports": {"OPENS": False},
            "kmsKeyArn": key_arn(_HERE, "a"),
        }
    ),
    "other-region": Variant(
        {
            **_keys_and_secret(_ELSEWHERE),
            "alertEmails": ["a@example.com"],
            "tags": {"team": "data"},
            "monthlyBudgetUsd": 50,
            "budgetTag": "team",
            "callsPerMinute": 30,
        },
        _ELSEWHERE,
    ),
    "china": Variant({**_keys_and_secret(_CHINA), "morningReport": False}, _CHINA),
    "govcloud": Variant({"useExistingData": True, "tokenSecretArn": secret_arn(_GOVCLOUD)}, _GOVCLOUD),
}
"""By name, which is also the stack's."""
