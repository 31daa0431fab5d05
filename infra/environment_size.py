"""Lambda's limit for the environment of a function, which long settings can exceed together."""

import json
import re
from collections.abc import Mapping

import msgspec

from infra.settings import BadSetting, Settings

MOST_BYTES = 4096
"""Of all variables together; https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html."""

# What stands for a value of the deployment: at most an ARN, and of the account's own values at most a region's name.
_REFERENCE, _PSEUDO_PARAMETER = "x" * 128, "x" * 16
_WORTH_NAMING = 200


def check_size(variables: Mapping[str, str]) -> None:
    """Refuse an environment that Lambda would refuse in the middle of a deployment.

    Raises:
        BadSetting: it is too large; the sentence names the settings that take most of it.
    """
    size = _bytes(variables)
    if size <= MOST_BYTES:
        return
    names = {field.encode_name.lower(): field.encode_name for field in msgspec.structs.fields(Settings)}
    sizes = {names.get(variable.replace("_", "").lower()): _bytes(value) for variable, value in variables.items()}
    longest = sorted(((one, name) for name, one in sizes.items() if name and one > _WORTH_NAMING), reverse=True)
    raise BadSetting(
        f"The settings in cdk.json make an environment of {size:,} bytes for the functions, and Lambda takes "
        f"{MOST_BYTES:,}: shorten {' or '.join(f'{name} ({one:,} bytes)' for one, name in longest)}."
    )


def _bytes(value: object) -> int:
    """The size as JSON, as Lambda's own message measures it."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    text = re.sub(r"\$\{Token\[AWS[.][^]]*\]\}", _PSEUDO_PARAMETER, text)
    return len(re.sub(r"\$\{Token\[[^]]*\]\}", _REFERENCE, text).encode())
