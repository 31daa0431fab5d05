"""The result file behind a signed link: opened, checked, and read as raw bytes."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from lambdas.symplify.outcomes import Link, Refused, Unavailable

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_CHUNK_BYTES = 1 << 20
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


class LinkExpired(Exception):
    """The file host no longer accepts the link."""


class Broken(Exception):
    """The transfer ended before the promised length, or beyond it."""


def check_link(link: Link, hosts: tuple[str, ...], *, allow_loopback_http: bool) -> Refused | None:
    """Refuse a link that is not https to a host on the list, or that carries user information."""
    try:
        parts = urlsplit(link.url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return Refused("Symplify's answer to the call for the result's link is no link.")
    if parts.username is not None or parts.password is not None:
        return Refused("The result's link carries user information, which no link of Symplify's does.")
    if allow_loopback_http and parts.scheme in ("http", "https") and host in _LOOPBACK:
        return None
    if parts.scheme != "https" or port not in (None, 443):
        return Refused(
            f"The result's link is not plain https to port 443 but {parts.scheme or 'none'}; nothing was read."
        )
    if not any(_matches(host, pattern) for pattern in hosts):
        return Refused(
            f"The result's link points to the host '{host}', which is not among the allowed ones "
            f"({', '.join(hosts)}). If it is Symplify's, add it to the setting resultHosts and deploy."
        )
    return None


class Result:
    """An open result: its length where the source tells it, and its bytes as they came (never decoded)."""

    def __init__(self, response: urllib3.BaseHTTPResponse) -> None:
        self._response = response
        length = response.headers.get("Content-Length")
        self.length = int(length) if length is not None else None

    def chunks(self) -> Iterator[bytes]:
        """Read it all.

        Raises:
            Broken: the body is shorter or longer than promised, or the connection broke.
        """
        size = 0
        try:
            for chunk in self._response.stream(_CHUNK_BYTES, decode_content=False):
                size += len(chunk)
                yield chunk
        except HTTPError as error:
            raise Broken(f"The transfer broke after {size} bytes ({type(error).__name__}).") from None
        finally:
            self._response.close()
        if self.length is not None and size != self.length:
            raise Broken(f"The source promised {self.length} bytes and sent {size}.")


def open_result(http: urllib3.PoolManager, link: Link) -> Result | Refused | Unavailable:
    """Open a checked link, with no header of ours but the one that asks for bytes as they are.

    Raises:
        LinkExpired: the link's time is over.
    """
    try:
        response = http.request(
            "GET",
            link.url,
            headers={"Accept-Encoding": "identity"},
            timeout=_TIMEOUT,
            retries=False,
            redirect=False,
            preload_content=False,
        )
    except HTTPError as error:
        return Unavailable(f"The result could not be opened ({type(error).__name__}).")
    if response.status == 200:
        return Result(response)
    response.close()
    if response.status == 403:
        raise LinkExpired
    if response.status in (429,) or response.status >= 500:
        return Unavailable(f"The file host answered with status {response.status}.")
    return Refused(f"The file host answered with status {response.status}, so there is no result to read.")


def _matches(host: str, pattern: str) -> bool:
    """Compare part by part, so that `*` never spans a dot."""
    names, patterns = host.split("."), pattern.lower().split(".")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))
