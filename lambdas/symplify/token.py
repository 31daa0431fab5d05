"""The API token, read from Secrets Manager by the functions that call Symplify."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

PLACEHOLDER = "replace-me"
"""What a freshly deployed secret holds (`infra/secret.py` writes it)."""


class TokenNotSet(Exception):
    """The secret holds no token yet."""


TokenSource = Callable[[], str]


def token_source(client: "SecretsManagerClient", secret_arn: str) -> TokenSource:
    """Return a function that reads the token anew.

    The secret holds the token as plain text, or as JSON with a field `token`.
    """

    def read() -> str:
        text = client.get_secret_value(SecretId=secret_arn)["SecretString"].strip()
        if text.startswith("{"):
            text = str(json.loads(text).get("token", "")).strip()
        if text in ("", PLACEHOLDER):
            raise TokenNotSet(
                "The secret still holds the placeholder instead of your Symplify token. Set it with: "
                f"aws secretsmanager put-secret-value --secret-id {secret_arn} --secret-string YOUR_TOKEN"
            )
        return text

    return read
