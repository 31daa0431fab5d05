"""Signed links to result files, after Amazon S3's signature version 2: an HMAC over method, time and path."""

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Callable, Mapping
from datetime import timedelta
from urllib.parse import quote, urlencode

from local.standin.clock import Clock

FORMS: Mapping[str, Callable[[str], bytes]] = {
    "quoted": lambda link: json.dumps(link).replace("&", "\\u0026").encode(),
    "escaped": lambda link: json.dumps(link).replace("/", "\\/").encode(),
    "html": lambda link: link.replace("&", "&amp;").encode(),
    "encoded": lambda link: quote(link, safe="").encode(),
    "bom": lambda link: link.encode("utf-8-sig"),
    "utf16": lambda link: link.encode("utf-16"),
}
"""Ways in which a link may be written."""

ACCESS_KEY_ID = "STANDINSYNTHETICKEY"


class Links:
    """Signs and verifies links. The key is generated at the start and never exposed."""

    def __init__(self, files_url: str, lifetime_seconds: int, clock: Clock) -> None:
        self._files_url = files_url
        self._lifetime = timedelta(seconds=lifetime_seconds)
        self._clock = clock
        self._key = secrets.token_bytes(32)

    def sign(self, path: str) -> str:
        """A link that allows a GET of a path of the file host for a while."""
        expires = str(int((self._clock() + self._lifetime).timestamp()))
        query = {
            "AWSAccessKeyId": ACCESS_KEY_ID,
            "Expires": expires,
            "Signature": self._signature("GET", path, expires),
        }
        return f"{self._files_url}{path}?{urlencode(query)}"

    def refusal(self, method: str, path: str, query: Mapping[str, str]) -> tuple[str, str] | None:
        """Why a link may not be used, as S3's code and message; None when it may. The status is always 403."""
        expires, signature = query.get("Expires", ""), query.get("Signature", "")
        if not signature or not expires.isdecimal():
            return "AccessDenied", "Access Denied"
        if query.get("AWSAccessKeyId") != ACCESS_KEY_ID:
            return "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist in our records."
        if self._clock().timestamp() >= int(expires):
            return "AccessDenied", "Request has expired"
        if not hmac.compare_digest(signature.encode(), self._signature(method, path, expires).encode()):
            return (
                "SignatureDoesNotMatch",
                "The request signature we calculated does not match the signature you provided. "
                "Check your key and signing method.",
            )
        return None

    def _signature(self, method: str, path: str, expires: str) -> str:
        text = f"{method}\n\n\n{expires}\n{path}"
        return base64.b64encode(hmac.new(self._key, text.encode(), hashlib.sha1).digest()).decode()
