"""The result file behind a signed link: opened, checked, and read as raw bytes."""

import re
from collections.abc import Iterator
from fnmatch import fnmatchcase

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from lambdas.symplify.outcomes import Link, Refused, Unavailable

_TIMEOUT = urllib3.Timeout(connect=10, read=60)
_CHUNK_BYTES = 1 << 20
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
# What a signed link is made of, and no more: parsers differ on blanks, line ends, backslashes and letters beyond ASCII.
_PLAIN = re.compile(r"[a-z]+://[^/?#%\\]+[/?][!-~]{1,8000}", re.ASCII | re.IGNORECASE)


class LinkExpired(Exception):
    """The file host no longer accepts the link."""


class Broken(Exception):
    """The transfer ended before the promised length, or beyond it."""


def check_link(link: Link, hosts: tuple[str, ...], *, allow_loopback_http: bool) -> Refused | None:
    """Refuse a link that is not https to a host on the list, or that carries user information.

    It is parsed by what will connect to it, so that the host that is checked is the host that is asked.
    """
    try:
        url = parse_url(link.url) if _PLAIN.fullmatch(link.url) else None
    except LocationParseError:
        url = None
    host = (url.host or "").lower() if url else ""
    if url is None or not host:
        return Refused("What Symplify gave as the result's link is none; nothing was read.")
    if url.auth is not None:
        return Refused("The result's link carries user information, which no link of Symplify's does.")
    if allow_loopback_http and url.scheme in ("http", "https") and host in _LOOPBACK:
        return None
    if url.scheme != "https" or url.port not in (None, 443):
        return Refused(f"The result's link is not https to port 443 but {url.scheme}:{url.port}; nothing was read.")
    if not any(_matches(host, pattern) for pattern in hosts):
        return Refused(
            f"The result's link points to the host '{host[:253]}', which is not among the allowed ones "
            f"({', '.join(hosts)}). If it is Symplify's, add it to the setting resultHosts and deploy."
        )
    return None


class Result:
    """An open result: its length where the source tells it, and its bytes as they came (never decoded)."""

    def __init__(self, response: urllib3.BaseHTTPResponse, length: int | None) -> None:
        self._response = response
        self._length = length

    def chunks(self) -> Iterator[bytes]:
        """Read it all.

        Raises:
            Broken: the body is shorter or longer than promised, or the connection broke.
        """
        size = 0
        try:
            for chunk in self._response.stream(_CHUNK_BYTES, decode_content=False):
                size += len(chunk)
                if self._length is not None and size > self._length:
                    raise Broken(f"The source promised {self._length} bytes and sent more.")
                yield chunk
        except HTTPError as error:
            raise Broken(f"The transfer broke after {size} bytes ({type(error).__name__}).") from None
        finally:
            self._response.close()
        if self._length is not None and size != self._length:
            raise Broken(f"The source promised {self._length} bytes and sent {size}.")


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
        return _result(response)
    response.close()
    if response.status == 403:
        raise LinkExpired
    if response.status == 429 or response.status >= 500:
        return Unavailable(f"The file host answered with status {response.status}.")
    return Refused(f"The file host answered with status {response.status}, so there is no result to read.")


def _result(response: urllib3.BaseHTTPResponse) -> Result | Refused:
    length = response.headers.get("Content-Length", "")
    if length.isdecimal():
        return Result(response, int(length))
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked":
        return Result(response, None)
    response.close()
    return Refused("The file host does not say how long the result is, so a cut transfer would pass for a whole one.")


def _matches(host: str, pattern: str) -> bool:
    """Compare part by part, so that `*` never spans a dot."""
    names, patterns = host.split("."), pattern.lower().split(".")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))
