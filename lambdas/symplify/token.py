"""The API token, read from Secrets Manager by the functions that call Symplify."""

import json
import re
from collections.abc import Callable
from html import escape
from typing import TYPE_CHECKING
from urllib.parse import quote, quote_plus

if TYPE_CHECKING:
    from types_boto3_secretsmanager import SecretsManagerClient

PLACEHOLDER = "replace-me"
"""The content of a freshly deployed secret (`infra/token.py` writes it)."""

# What a header may contain. Anything else would fail inside the HTTP client, whose error repeats the value.
_USABLE = re.compile(r"[!-~]+")


class TokenNotSet(Exception):
    """The secret has no usable token."""


TokenSource = Callable[[], str]


def token_source(client: "SecretsManagerClient", secret_arn: str) -> TokenSource:
    """Return a function that reads the token from the secret.

    The secret has the token as plain text, or as JSON with a field `token`.
    """

    def read() -> str:
        token = _token(client.get_secret_value(SecretId=secret_arn).get("SecretString", ""))
        if token == PLACEHOLDER or not is_usable(token):
            found = "the placeholder" if token == PLACEHOLDER else "something that cannot be a token"
            raise TokenNotSet(
                f"The secret contains {found} instead of your Symplify token. Set it with: "
                f"aws secretsmanager put-secret-value --secret-id {secret_arn} --secret-string YOUR_TOKEN"
            )
        return token

    return read


def masked(text: str, token: str) -> str:
    """A text without the token, should the vendor repeat it: as it is, or as JSON, HTML or an address has it."""
    in_json = json.dumps(token)[1:-1]
    forms = {token, in_json, in_json.replace("/", "\\/"), quote(token, safe=""), quote(token), quote_plus(token)}
    forms |= {escape(token), escape(token, quote=False), escape(token, quote=False).replace('"', "&#34;")}
    longest_first = sorted(map(re.escape, forms), key=len, reverse=True)
    return re.sub("|".join(longest_first), "[token]", text, flags=re.IGNORECASE)


def is_usable(token: str) -> bool:
    """Whether a text can be a token."""
    return _USABLE.fullmatch(token) is not None


def _token(text: str) -> str:
    """The token in a secret's text; empty when there is none."""
    text = text.strip()
    if not text.startswith("{"):
        return text
    try:
        token = json.loads(text).get("token")
    except ValueError:
        return ""
    return token.strip() if isinstance(token, str) else ""
