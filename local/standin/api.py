"""The export API below `/rest/<customer id>`, after the vendor's published pages, and the journal of calls."""

import json
import re
from collections.abc import Callable
from typing import Any

from lambdas.vocabulary import EXPORT_TYPES, Period
from local.standin.batches import Batch, Batches
from local.standin.exchange import Answer, Call, Route
from local.standin.journal import Journal, summary
from local.standin.limit import RateLimit
from local.standin.links import Links
from local.standin.options import Options
from local.standin.records import is_known

TOKEN_HEADER = "x-carma-authentication-token"  # noqa: S105 - a header's name
JOURNAL_PATH = "/_standin/calls"

_ROUTES = (
    ("account", "GET", re.compile(r"/apiurl")),
    ("order", "POST", re.compile(r"/batches/exports/statistics")),
    ("status", "GET", re.compile(r"/batches/([^/]+)")),
    ("link", "GET", re.compile(r"/batches/([^/]+)/result/url")),
    ("redirect", "GET", re.compile(r"/batches/([^/]+)/result")),
)


class Api:
    """Answers the vendor's calls: first the token (401), the customer (403) and the rate limit (429), then the call."""

    name = "api"

    def __init__(self, options: Options, base_url: str, batches: Batches, links: Links, limit: RateLimit) -> None:
        self._options = options
        self._base_url = base_url
        self._batches = batches
        self._links = links
        self._limit = limit

    def route(self, call: Call) -> Route:
        """Kinds: account, order, status, link, redirect, or unknown."""
        below = re.fullmatch(r"/rest/[^/]*(/.*)", call.path)
        for kind, method, pattern in _ROUTES:
            if below and call.method == method and (found := pattern.fullmatch(below[1])):
                if kind == "order":
                    return Route(kind, export_type=_ordered_type(call.body))
                return self._batches.route(kind, found[1] if found.groups() else None)
        return Route("unknown")

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a call; every problem is a status with a sentence in plain text, as the vendor's are."""
        if call.headers.get(TOKEN_HEADER) != self._options.token:
            return _text(401, "Authentication failed: the authentication token is missing or not valid.")
        if call.path.split("/")[1:3] != ["rest", self._options.customer_id]:
            return _text(403, "Access denied: the authentication token does not belong to this customer.")
        if not self._limit.take():
            return _text(429, self._limit.sentence)
        if route.kind == "account":
            return _json(200, self._account())
        if route.kind == "order":
            return self._order(call, route)
        batch = self._batches.find(route.batch_id) if route.batch_id is not None else None
        if batch is None:
            return _text(404, f"No such batch: {route.batch_id}." if route.batch_id else "No such resource.")
        answers: dict[str, Callable[[Call, Batch], Answer]] = {
            "status": self._status,
            "link": self._link,
            "redirect": self._redirect,
        }
        return answers[route.kind](call, batch)

    def _account(self) -> dict[str, str]:
        return {
            "serverBaseUrl": self._base_url.removesuffix("/rest"),
            "webserviceUrl": self._base_url.removesuffix("/rest") + "/webservice",
            "swaggerUrl": self._base_url + "/swagger",
            "restUrl": self._base_url,
            "controllerUrl": self._base_url.removesuffix("/rest") + "/controller",
        }

    def _order(self, call: Call, route: Route) -> Answer:
        try:
            body = json.loads(call.body)
        except ValueError:
            return _text(400, "The request body is not valid JSON.")
        export_type, period = (body.get("exportType"), body.get("period")) if isinstance(body, dict) else (None, None)
        if not isinstance(export_type, str) or export_type not in EXPORT_TYPES or not is_known(export_type):
            return _text(400, f"Unknown exportType: {export_type}. Valid values are {', '.join(EXPORT_TYPES)}.")
        if period not in list(Period):
            return _text(400, f"Unknown period: {period}. Valid values are {', '.join(Period)}.")
        before = [order for order in self._batches.orders if route.is_repeat and order.export_type == export_type]
        order = before[-1] if before else self._batches.order(export_type, Period(period))
        # A string here, a number in the status call: as in the vendor's examples.
        return _json(200, {"batchId": order.batch_id}, order.batch_id)

    def _status(self, call: Call, batch: Batch) -> Answer:
        number, state = self._batches.ask(batch)
        # The vendor's own example has stray blanks; here every other answer has.
        blank = " " if number % 2 else ""
        return _json(
            200,
            {
                "id": int(batch.order.batch_id),
                "type": blank + "STAT_EXPORT",
                "customerId": 0,
                "startTime": state.start_time,
                "endTime": state.end_time,
                "affected": state.processed,
                "processed": state.processed,
                "total": state.total,
                "status": blank + state.status,
            },
        )

    def _link(self, call: Call, batch: Batch) -> Answer:
        if "application/json" in call.headers.get("accept", "").lower():
            return _text(406, "Not acceptable: this resource is text/plain.")
        url = self._url(batch)
        return _text(404, "The batch has no result yet.") if url is None else _text(200, url)

    def _redirect(self, call: Call, batch: Batch) -> Answer:
        url = self._url(batch)
        return _text(404, "The batch has no result yet.") if url is None else Answer(302, b"", {"Location": url})

    def _url(self, batch: Batch) -> str | None:
        if batch.result is None:
            return None
        return self._links.sign(f"/result/{self._options.customer_id}/{batch.order.batch_id}_result.json")


class JournalApi:
    """Serves the journal beside the API, without token, rate limit or a record of the call."""

    def __init__(self, journal: Journal, batches: Batches) -> None:
        self._journal = journal
        self._batches = batches

    def answer(self) -> Answer:
        """All orders and calls as JSON, see `journal.summary`."""
        return _json(200, summary(self._journal.calls, self._batches.orders))


def _ordered_type(body: bytes) -> str | None:
    try:
        named = json.loads(body)["exportType"]
    except (ValueError, TypeError, KeyError):
        return None
    return named if isinstance(named, str) else None


def _json(status: int, value: dict[str, Any], batch_id: str | None = None) -> Answer:
    text = json.dumps(value, separators=(",", ":"))
    return Answer(status, text.encode(), {"Content-Type": "application/json"}, batch_id)


def _text(status: int, text: str) -> Answer:
    return Answer(status, text.encode(), {"Content-Type": "text/plain;charset=UTF-8"})
