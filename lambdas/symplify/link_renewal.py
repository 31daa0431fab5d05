"""A finished batch's result at Symplify, opened by links that are fetched, checked, and replaced on expiry."""

import threading
from collections.abc import Callable

import urllib3

from lambdas.symplify.answers import Link, RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.symplify.result import LinkExpired, Result, Span, Version, check_link, open_first, open_range

# The link in use, one that another reader has fetched meanwhile, and a fresh one.
_LINKS = 3

READERS = 4
"""How many ranges are read at once, and so how many connections to a file host are kept."""

Opened = Result | RateLimited | Refused | Unavailable


class Remote:
    """One batch's result. Its links never leave this object. Thread-safe."""

    def __init__(
        self,
        client: Client,
        http: urllib3.PoolManager,
        batch_id: str,
        hosts: tuple[str, ...],
        *,
        allow_loopback_http: bool,
    ) -> None:
        self._client = client
        self._http = http
        self._batch_id = batch_id
        self._hosts = hosts
        self._allow_loopback_http = allow_loopback_http
        self._link: Link | None = None
        self._lock = threading.Lock()

    def first(self, size: int, patience: float) -> Opened:
        """Open the first `size` bytes, or all (see `open_first`); `patience` bounds each wait for bytes, in seconds."""
        return self._open(lambda link: open_first(self._http, link, size, patience))

    def range(self, span: Span, version: Version, patience: float) -> Opened:
        """Open a range.

        Raises:
            SourceChanged: the source has other bytes by now.
        """
        return self._open(lambda link: open_range(self._http, link, span=span, version=version, patience=patience))

    def _open(self, ask: Callable[[Link], Result | Refused | Unavailable]) -> Opened:
        expired, status = None, ""
        for _ in range(_LINKS):
            link = self._usable_link(expired)
            if not isinstance(link, Link):
                return link
            try:
                return ask(link)
            except LinkExpired as error:
                expired, status = link, str(error)
        return Refused(f"The file host refused {_LINKS} links in a row, the last one with status {status}.")

    def _usable_link(self, expired: Link | None) -> Link | RateLimited | Refused | Unavailable:
        with self._lock:
            if self._link is not None and self._link != expired:
                return self._link
            self._link = None
            link = self._client.link(self._batch_id)
            if not isinstance(link, Link):
                return link
            refused = check_link(link, self._hosts, allow_loopback_http=self._allow_loopback_http)
            if refused is not None:
                return refused
            self._link = link
            return link
