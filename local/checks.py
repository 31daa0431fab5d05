"""What a check of an account or of a stack finds: a tick, what to do, or that it could not be asked."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws_errors import has_code

ClientFactory = Callable[[str], Any]
"""Makes a client of an AWS service."""

_DENIED = {"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "AuthorizationError", "403"}


@dataclass(frozen=True)
class Check:
    """A result: what was checked, whether it is well, and what was found or is to be done."""

    name: str
    is_well: bool
    words: str
    is_known: bool = True
    """False where nobody could be asked: then it is no failure, and no tick."""

    @property
    def mark(self) -> str:
        """A tick, a cross, or a question mark."""
        return "?" if not self.is_known else "✓" if self.is_well else "✗"

    def described(self) -> dict[str, Any]:
        """What `--json` prints of it."""
        return {"check": self.name, "ok": self.is_well, "known": self.is_known, "words": self.words}


def unknown(name: str, words: str) -> Check:
    """The check of something that nobody could be asked about."""
    return Check(name, True, words, is_known=False)


def is_denied(error: ClientError) -> bool:
    """Whether the caller lacks the right to ask."""
    return has_code(error, *_DENIED)


def asked(name: str, ask: Callable[[], Check]) -> Check:
    """Ask; an error of AWS or of the connection is a result as well."""
    try:
        return ask()
    except ClientError as error:
        said = error.response.get("Error", {})
        return Check(name, False, f"{said.get('Code')}: {said.get('Message')}")
    except BotoCoreError as error:
        return Check(name, False, str(error))
