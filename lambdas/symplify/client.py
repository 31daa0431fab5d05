"""The calls of Symplify's export API, each mapped to an outcome.

Vendor facts are from Symplify's published API pages unless a comment says otherwise.
"""

import json
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import urllib3
from urllib3.exceptions import HTTPError

from lambdas.symplify.outcomes import (
    Batch,
    BatchState,
    Link,
    Lost,
    NotFound,
    Ordered,
    RateLimited,
    Refused,
    Unavailable,
)
from lambdas.symplify.token import TokenNotSet, TokenSource
from lambdas.symplify.vocabulary import ExportType, Period

TOKEN_HEADER = "X-Carma-Authentication-Token"  # noqa: S105 - a header's name

# One public client reports "one request per minute" from an error message: the pause after a 429 without a hint.
RATE_LIMIT_SECONDS = 60
# A hint beyond an hour is a mistake or a ban; the run's deadline decides then.
RETRY_AFTER_CAP_SECONDS = 3600

_TIMEOUT = urllib3.Timeout(connect=5, read=20, total=25)
# Three tries of a GET, 1 s and 2 s apart: at most 78 s with the time-outs above, below every function's time-out.
_GET_RETRIES = urllib3.Retry(
    total=2, backoff_factor=1, status_forcelist=(500, 502, 503, 504), redirect=0, raise_on_status=False
)
_MAX_ANSWER_BYTES = 1 << 20

_STATES = {
    "PENDING": BatchState.RUNNING,
    "IN_PROGRESS": BatchState.RUNNING,
    "FINISHED": BatchState.FINISHED,
    # Seen by public clients on import batches.
    "ERROR": BatchState.FAILED,
}


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes
    """At most a megabyte; the token, should the vendor repeat it, is blotted out."""

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace").strip()

    @property
    def fields(self) -> Mapping[str, Any]:
        """The JSON object in the body; empty when there is none."""
        try:
            fields = json.loads(self.body)
        except ValueError:
            return {}
        return fields if isinstance(fields, dict) else {}


class Client:
    """Symplify's export API for one customer.

    The token goes into a header of calls to `base_url` alone, and is read again once when Symplify answers 401.
    """

    def __init__(self, http: urllib3.PoolManager, base_url: str, customer_id: str, read_token: TokenSource) -> None:
        self._http = http
        self._base = f"{base_url.rstrip('/')}/{customer_id}"
        self._read_token = read_token
        self._token: str | None = None

    def order(self, export: ExportType, period: Period) -> Ordered | RateLimited | Refused | Lost:
        """Order an export. Sent once and never repeated here, since a repeated order is a second batch."""
        body = {"exportType": export.name, "period": period.value}
        try:
            answer = self._call("POST", "/batches/exports/statistics", retries=False, json=body)
        except TokenNotSet as error:
            return Refused(str(error))
        except HTTPError as error:
            return Lost(f"No answer to the order came: {_describe(error)}.")
        if answer.status >= 500:
            return Lost(f"Symplify answered the order with status {answer.status}.")
        failure = _failure(answer, "the order")
        if failure is not None:
            return failure
        batch_id = answer.fields.get("batchId")
        if isinstance(batch_id, bool) or not isinstance(batch_id, int | str) or not str(batch_id).strip():
            return Lost("Symplify's answer to the order names no batchId.")
        return Ordered(str(batch_id).strip())

    def batch(self, batch_id: str) -> Batch | RateLimited | Refused | Unavailable:
        """Ask how far a batch is. An unknown status is refused: it never waits and never counts as success."""
        answer = self._get(f"/batches/{batch_id}", "the status call")
        if not isinstance(answer, _Answer):
            return answer
        fields = answer.fields
        # Values are printed with stray blanks in the vendor's own example.
        status = str(fields.get("status", "")).strip().upper()
        state = _STATES.get(status)
        if state is None:
            return Refused(
                f"Symplify says that the batch's status is '{_cut(status)}', which is none of "
                f"{', '.join(_STATES)}. Look at the batch in Symplify, and report the new status."
            )
        return Batch(state, _count(fields.get("processed")), _count(fields.get("total")))

    def link(self, batch_id: str) -> Link | RateLimited | Refused | Unavailable:
        """Fetch a fresh signed link to a finished batch's result.

        The call answers text/plain, and its documentation forbids an `Accept: application/json` header. When it fails
        for a reason of its own, the documented redirect to the same file is asked for its target instead.
        """
        answer = self._get(f"/batches/{batch_id}/result/url", "the call for the result's link")
        if isinstance(answer, _Answer):
            return Link(answer.text.strip('"'))
        if isinstance(answer, RateLimited):
            return answer
        redirect = self._get(f"/batches/{batch_id}/result", "the call for the result")
        if isinstance(redirect, _Answer) and redirect.headers.get("Location"):
            return Link(redirect.headers["Location"].strip())
        return answer

    def account(self) -> Mapping[str, Any] | RateLimited | Refused | Unavailable:
        """Fetch the account's own base URLs: a cheap call that proves host, customer id and token."""
        answer = self._get("/apiurl", "the call for the account's addresses")
        return answer.fields if isinstance(answer, _Answer) else answer

    def _get(self, path: str, what: str) -> _Answer | RateLimited | Refused | Unavailable:
        try:
            answer = self._call("GET", path, retries=_GET_RETRIES)
        except TokenNotSet as error:
            return Refused(str(error))
        except HTTPError as error:
            return Unavailable(f"No answer to {what} came: {_describe(error)}.")
        if answer.status >= 500:
            return Unavailable(f"Symplify answered {what} with status {answer.status}.")
        return _failure(answer, what) or answer

    def _call(self, method: str, path: str, **options: Any) -> _Answer:
        fresh = self._token is None
        answer = self._send(method, path, **options)
        if answer.status == 401 and not fresh:
            self._token = None
            answer = self._send(method, path, **options)
        return answer

    def _send(self, method: str, path: str, **options: Any) -> _Answer:
        if self._token is None:
            self._token = self._read_token()
        response = self._http.request(
            method,
            self._base + path,
            headers={TOKEN_HEADER: self._token},
            timeout=_TIMEOUT,
            redirect=False,
            preload_content=False,
            **options,
        )
        # Bounded, so that a body without end cannot fill the memory; the connection is dropped with the rest.
        body = response.read(_MAX_ANSWER_BYTES, decode_content=True)
        response.close()
        return _Answer(response.status, response.headers, body.replace(self._token.encode(), b"[token]"))


def _failure(answer: _Answer, what: str) -> RateLimited | Refused | None:
    if answer.status < 400:
        return None
    if answer.status == 429:
        return RateLimited(_retry_after(answer.headers.get("Retry-After")))
    words = _cut(answer.text)
    said = f"Symplify answered {what} with status {answer.status}: '{words}'."
    if answer.status == 401:
        return Refused(f"{said} Put a valid API token into the secret.")
    if answer.status == 403:
        return Refused(f"{said} Check the customer id, and that the token may read statistics.")
    return NotFound(said) if answer.status == 404 else Refused(said)


def _retry_after(header: str | None) -> int:
    """Seconds to wait after a 429: the server's word, capped, or a minute and a little jitter, never less."""
    jitter = random.uniform(1, 10)  # noqa: S311 - spreads ten runs, guards nothing
    seconds = float(RATE_LIMIT_SECONDS)
    if header is not None:
        try:
            seconds = float(header)
        except ValueError:
            try:
                seconds = (parsedate_to_datetime(header) - datetime.now(UTC)).total_seconds()
            except ValueError:
                seconds = RATE_LIMIT_SECONDS
    return int(min(max(seconds, 1), RETRY_AFTER_CAP_SECONDS) + jitter)


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _cut(text: str) -> str:
    clean = " ".join(text.split())
    return clean if len(clean) <= 200 else clean[:200] + "…"


def _describe(error: HTTPError) -> str:
    """Name the kind of failure alone: urllib3's own text repeats the URL."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__
