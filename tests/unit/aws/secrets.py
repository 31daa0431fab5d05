"""In-process fake of Secrets Manager: the operations that the lake and its tests use."""

from collections.abc import Mapping
from typing import Any

from tests.unit.aws.failure import AwsFailure


class Secrets:
    """Secrets by ARN or name, each with its current value."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, Any]] = {}
        self._names: dict[str, str] = {}

    def CreateSecret(self, *, Name: str, **given: Any) -> dict[str, Any]:
        if Name in self._names:
            raise AwsFailure("ResourceExistsException", f"the secret {Name} already exists.")
        arn = f"arn:aws:secretsmanager:eu-west-1:123456789012:secret:{Name}-AbCdEf"
        self._names[Name], self._values[arn] = arn, _value(given)
        return {"ARN": arn, "Name": Name}

    def PutSecretValue(self, *, SecretId: str, **given: Any) -> dict[str, Any]:
        arn = self._arn(SecretId)
        self._values[arn] = _value(given)
        return {"ARN": arn, "Name": SecretId, "VersionStages": ["AWSCURRENT"]}

    def GetSecretValue(self, *, SecretId: str, **_: Any) -> dict[str, Any]:
        arn = self._arn(SecretId)
        name = next(name for name, one in self._names.items() if one == arn)
        return {"ARN": arn, "Name": name, "VersionStages": ["AWSCURRENT"], **self._values[arn]}

    def _arn(self, secret: str) -> str:
        arn = self._names.get(secret, secret)
        if arn not in self._values:
            raise AwsFailure("ResourceNotFoundException", "Secrets Manager can't find the specified secret.")
        return arn


def _value(given: Mapping[str, Any]) -> dict[str, Any]:
    return {name: given[name] for name in ("SecretString", "SecretBinary") if name in given}
