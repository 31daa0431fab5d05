"""The calls of Symplify's export API, each mapped to an answer.

Vendor facts are from Symplify's published API pages unless a comment says otherwise.
"""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import urllib3
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError

from lambdas.quotation import quoted
from lambdas.symplify import batch_ids, statuses
from lambdas.symplify.answers import (
    BadToken,
    Batch,
    Link,
    Lost,
    NotFound,
    NoToken,
    Ordered,
    OrderUnusable,
    RateLimited,
    Refused,
    Unavailable,
)
from lambdas.symplify.link_text import link_in
from lambdas.symplify.retry_after import retry_after, spread
from lambdas.symplify.token import TokenNotSet, TokenSource, masked
from lambdas.vocabulary import ExportType, Period

TOKEN_HEADER = "X-Carma-Authentication-Token"  # noqa: S105 - a header's name

_TIMEOUT = urllib3.Timeout(connect=5, read=20, total=25)
# Three tries of a GET, the second at once and the third 2 s later: at most 77 s with the time-outs above, and as much
# again when a token is replaced, below every function's time-out. A Retry-After is left to the machine's Wait, since
# urllib3 would sleep in the function.
_GET_RETRIES = urllib3.Retry(
    total=2,
    backoff_factor=1,
    status_forcelist=(500, 502, 503, 504),
    raise_on_status=False,
    respect_retry_after_header=False,
)
_JSON = {"Accept": "application/json"}
_ESCAPED = re.compile(r"\\u([0-9a-f]{4})", re.I)
_MAX_ANSWER_BYTES = 1 << 20


@dataclass(frozen=True)
class _Answer:
    status: int
    headers: Mapping[str, str] = field(repr=False)
    text: str
    """At most a megabyte; the token is masked, should the vendor repeat it."""
    token: str = field(repr=False)

    @property
    def fields(self) -> Mapping[str, Any] | None:
        """The JSON object in the body, if there is one."""
        try:
            fields = json.loads(self.text)
        except (ValueError, RecursionError):
            return None
        return fields if isinstance(fields, dict) else None

    def quoted(self, text: str | None = None) -> str:
        """The body, or a text out of it, for a sentence: masked again, since a token may have been escaped in it."""
        plain = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), self.text if text is None else text)
        return quoted(masked(plain, self.token))


TakeCall = Callable[[], int]
"""Takes one of the calls that the account may make: returns 0, or in how many seconds to ask again."""


class _NoCallLeft(Exception):
    """The stack's own limit allows no call now."""

    def __init__(self, wait_seconds: int) -> None:
        super().__init__(wait_seconds)
        self.answer = RateLimited(spread(wait_seconds), "The setting callsPerMinute allowed no call.")


class Client:
    """Symplify's export API for one customer.

    The token is sent in a header to `base_url` alone, and is read again once when Symplify answers 401. With
    `take_call` every request takes a call first, and none is repeated but by the caller.
    """

    def __init__(
        self,
        http: urllib3.PoolManager,
        base_url: str,
        customer_id: str,
        read_token: TokenSource,
        take_call: TakeCall | None = None,
    ) -> None:
        self._http = http
        self._base = f"{base_url.rstrip('/')}/{customer_id}"
        self._read_token = read_token
        self._take_call = take_call
        self._token: str | None = None

    def ready(self) -> BadToken | None:
        """Read the token unless it is known. Called before an order, since without a token nothing can be ordered."""
        try:
            self._known_token()
        except TokenNotSet as error:
            return NoToken(str(error))
        return None

    def order(self, export: ExportType, period: Period) -> Ordered | RateLimited | Refused | Unavailable | Lost:
        """Order an export. Sent once and never retried, since a second order is a second batch."""
        body = {"exportType": export.name, "period": period.value}
        try:
            answer = self._call("POST", "/batches/exports/statistics", _JSON, retries=False, json=body)
        except TokenNotSet as error:
            return NoToken(str(error))
        except _NoCallLeft as limit:
            return limit.answer
        except (NewConnectionError, ConnectTimeoutError) as error:
            return Unavailable(f"The order could not be sent: {_describe(error)}.")
        except HTTPError as error:
            return Lost(f"The order was not answered: {_describe(error)}.")
        if _is_down(answer):
            return Lost(f"Symplify answered the order with status {answer.status}.")
        failure = _failure(answer, "the order")
        if failure is not None:
            return failure
        batch_id = (answer.fields or {}).get("batchId")
        batch_id = "" if isinstance(batch_id, bool) or not isinstance(batch_id, int | str) else str(batch_id).strip()
        if not batch_id:
            return Lost("Symplify's answer to the order names no batchId.")
        return Ordered(batch_id) if batch_ids.is_usable(batch_id) else OrderUnusable(batch_ids.UNUSABLE)

    def batch(
        self, batch_id: str, chosen: Mapping[str, str] | None = None
    ) -> Batch | RateLimited | Refused | Unavailable:
        """Ask how far a batch is. An unknown status is refused: neither waited for nor taken for success.

        `chosen` is the setting batchStatuses: what further words of the vendor's mean.
        """
        if not batch_ids.is_usable(batch_id):
            return Refused(batch_ids.UNUSABLE)
        answer = self._get(f"/batches/{_part(batch_id)}", "the status call", _JSON)
        if not isinstance(answer, _Answer):
            return answer
        fields = answer.fields
        if fields is None or "status" not in fields:
            return Unavailable(f"Symplify answered the status call without a status: '{answer.quoted()}'.")
        status = statuses.word(fields["status"])
        known = statuses.meanings(chosen or {})
        state = known.get(status)
        if state is None:
            return Refused(
                f"Symplify says that the batch's status is '{answer.quoted(status)}', which is none of "
                f"{', '.join(known)}. Look at the batch in Symplify; the setting batchStatuses says what such a word "
                "means: running, finished or failed."
            )
        return Batch(state, _count(fields.get("processed")), _count(fields.get("total")))

    def link(self, batch_id: str) -> Link | RateLimited | Refused | Unavailable:
        """Fetch a fresh signed link to a finished batch's result.

        The call answers text/plain, and its documentation forbids an `Accept: application/json` header. When it returns
        no link, the target of the documented redirect to the same file is used instead. A page or an error document in
        place of a link is transient.
        """
        if not batch_ids.is_usable(batch_id):
            return Refused(batch_ids.UNUSABLE)
        path = f"/batches/{_part(batch_id)}/result"
        documented = self._get(f"{path}/url", "the call for the result's link")
        if isinstance(documented, RateLimited | BadToken):
            return documented
        if isinstance(documented, _Answer):
            link = link_in(documented.text)
            if link is not None:
                return Link(link)
            documented = Unavailable(
                f"Symplify answered the call for the result's link with no link: '{documented.quoted()}'."
            )
        other = self._ask(path, "the call for the result")
        if isinstance(other, _Answer) and _is_redirect(other):
            link = link_in(other.headers.get("Location", ""))
            if link is not None:
                return Link(link)
        failure = _failure(other, "the call for the result") if isinstance(other, _Answer) else other
        # A transient failure of either call wins over a final one; else the documented call's failure is returned.
        return failure if isinstance(failure, RateLimited | Unavailable) else documented

    def account(self) -> Mapping[str, Any] | RateLimited | Refused | Unavailable:
        """Fetch the account's base URLs: a cheap call that proves host, customer id and token."""
        answer = self._get("/apiurl", "the call for the account's addresses", _JSON)
        return (answer.fields or {}) if isinstance(answer, _Answer) else answer

    def _get(
        self, path: str, what: str, headers: Mapping[str, str] | None = None
    ) -> _Answer | RateLimited | Refused | Unavailable:
        answer = self._ask(path, what, headers)
        return (_failure(answer, what) or answer) if isinstance(answer, _Answer) else answer

    def _ask(
        self, path: str, what: str, headers: Mapping[str, str] | None = None
    ) -> _Answer | RateLimited | Refused | Unavailable:
        # Each try would be a call, so with a limit the machine alone repeats one.
        retries = _GET_RETRIES if self._take_call is None else False
        try:
            answer = self._call("GET", path, headers or {}, retries=retries)
        except TokenNotSet as error:
            return NoToken(str(error))
        except _NoCallLeft as limit:
            return limit.answer
        except HTTPError as error:
            return Unavailable(f"Symplify did not answer {what}: {_describe(error)}.")
        if _is_down(answer):
            return Unavailable(f"Symplify answered {what} with status {answer.status}.")
        return answer

    def _call(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> _Answer:
        fresh = self._token is None
        answer = self._send(method, path, headers, **options)
        if answer.status == 401 and not fresh:
            self._token = None
            answer = self._send(method, path, headers, **options)
        return answer

    def _send(self, method: str, path: str, headers: Mapping[str, str], **options: Any) -> _Answer:
        token = self._known_token()
        wait = self._take_call() if self._take_call is not None else 0
        if wait:
            raise _NoCallLeft(wait)
        response = self._http.request(
            method,
            self._base + path,
            # A kept connection may break while the function is frozen, and an order sent into it would be lost.
            headers={**headers, TOKEN_HEADER: token, "Connection": "close"},
            timeout=_TIMEOUT,
            redirect=False,
            preload_content=False,
            **options,
        )
        # Once the body is read, the response has given its connection back to the pool.
        connection = response.connection
        try:
            # Bounded, so that an endless body cannot fill the memory; closing the connection drops the rest.
            body = response.read(_MAX_ANSWER_BYTES, decode_content=True)
        finally:
            response.close()
            if connection is not None:
                # Or the pool would use it again, unless the server's own close has arrived by then.
                connection.close()
        text = body.decode(json.detect_encoding(body), "replace").strip()
        return _Answer(response.status, response.headers, masked(text, token), token)

    def _known_token(self) -> str:
        if self._token is None:
            self._token = self._read_token()
        return self._token


def _is_down(answer: _Answer) -> bool:
    return answer.status == 408 or answer.status >= 500


def _is_redirect(answer: _Answer) -> bool:
    return 300 <= answer.status < 400


def _failure(answer: _Answer, what: str) -> RateLimited | Refused | None:
    if answer.status < 300:
        return None
    if answer.status == 429:
        return RateLimited(retry_after(answer.headers.get("Retry-After"), datetime.now(UTC)))
    if _is_redirect(answer):
        return Refused(
            f"Symplify answered {what} with a redirect (status {answer.status}), which is not followed, since the "
            "token belongs to Symplify's own host alone. Check the setting baseUrl."
        )
    answered = f"Symplify answered {what} with status {answer.status}: '{answer.quoted()}'."
    if answer.status == 401:
        return BadToken(f"{answered} Put a valid API token into the secret.")
    if answer.status == 403:
        return Refused(f"{answered} Check the customer id, and that the token may read statistics.")
    return NotFound(answered) if answer.status == 404 else Refused(answered)


def _part(batch_id: str) -> str:
    return quote(batch_id, safe="")


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _describe(error: HTTPError) -> str:
    """Name the kind of failure alone, since urllib3's own text repeats the URL."""
    reason = getattr(error, "reason", None)
    return type(reason if isinstance(reason, Exception) else error).__name__
