"""The result file behind a signed link: checked, opened whole or by ranges, and read as raw bytes.

Links are signed for GET alone (a HEAD would be refused), so what the source can do is learned from a ranged GET.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from hashlib import md5

import urllib3
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from lambdas.symplify.answers import Link, Refused, Unavailable

_CONNECT_SECONDS = 10.0
_READ_SECONDS = 60.0
_CHUNK_BYTES = 1 << 20
_LOOPBACK = ("127.0.0.1", "[::1]", "localhost")
# What a signed link is made of, and no more: parsers differ on blanks, line ends, backslashes and letters beyond ASCII.
_PLAIN = re.compile(r"[a-z]+://[^/?#%\\]+[/?][!-~]{1,8000}", re.ASCII | re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
# A strong tag; a weak one (`W/"..."`) does not promise the same bytes.
_STRONG_ETAG = re.compile(r'"[!#-~]{1,200}"')
_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')


class LinkExpired(Exception):
    """The file host no longer accepts the link."""


class SourceChanged(Exception):
    """The source no longer holds the bytes of which a part was read."""


class Broken(Exception):
    """The transfer did not bring what was promised."""


@dataclass(frozen=True)
class Span:
    """Some bytes of a file, the last one included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many they are."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Version:
    """Which bytes a source that knows ranges holds: all reads of one copy must agree on it."""

    etag: str
    length: int


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
    """An open result, or a range of it: its bytes as they came (never decoded), checked to their end."""

    def __init__(
        self,
        response: urllib3.BaseHTTPResponse,
        length: int | None,
        checksum: str | None = None,
        version: Version | None = None,
    ) -> None:
        self._response = response
        self._length = length
        self.md5 = checksum
        """Of the whole file, in hexadecimal, where the source tells it."""
        self.version = version
        """What further ranges belong to; None when the source gave the whole file instead of a range."""

    def chunks(self) -> Iterator[bytes]:
        """Read it all.

        Raises:
            Broken: the body is shorter or longer than promised, the connection broke, or a whole file has another MD5.
        """
        size, digest = 0, md5(usedforsecurity=False)
        try:
            for chunk in self._response.stream(_CHUNK_BYTES, decode_content=False):
                size += len(chunk)
                if self._length is not None and size > self._length:
                    raise Broken(f"The source promised {self._length} bytes and sent more.")
                if self.version is None and self.md5 is not None:
                    digest.update(chunk)
                yield chunk
        except HTTPError as error:
            raise Broken(f"The transfer broke after {size} bytes ({type(error).__name__}).") from None
        finally:
            self._response.close()
        if self._length is not None and size != self._length:
            raise Broken(f"The source promised {self._length} bytes and sent {size}.")
        if self.version is None and self.md5 not in (None, digest.hexdigest()):
            raise Broken(f"The {size} bytes that came do not have the MD5 that the source tells.")

    def close(self) -> None:
        """Leave the rest unread."""
        self._response.close()


def open_first(
    http: urllib3.PoolManager, link: Link, size: int, patience: float = _READ_SECONDS
) -> Result | Refused | Unavailable:
    """Open the first `size` bytes of a checked link, or the whole file when the source cannot serve the rest by ranges.

    Raises:
        LinkExpired: the link's time is over.
    """
    response = _get(http, link, patience, {"Range": f"bytes=0-{size - 1}"})
    if isinstance(response, Unavailable):
        return response
    if response.status == 206:
        found = _range_of(response)
        if found is not None and found[0] == Span(0, min(size, found[1].length) - 1):
            span, version = found
            return Result(response, span.length, md5_of(version.etag, response.headers), version)
    if response.status in (206, 416):
        # Ranges without a usable version, or none at all, as of an empty file.
        response.close()
        response = _get(http, link, patience, {})
        if isinstance(response, Unavailable):
            return response
    return _whole(response) if response.status == 200 else _no_result(response)


def open_range(
    http: urllib3.PoolManager, link: Link, span: Span, version: Version, patience: float = _READ_SECONDS
) -> Result | Refused | Unavailable:
    """Open a range of the bytes that `version` means.

    Raises:
        LinkExpired: the link's time is over.
        SourceChanged: the source holds other bytes now, or serves ranges no more.
    """
    response = _get(http, link, patience, {"Range": f"bytes={span.first}-{span.last}", "If-Match": version.etag})
    if isinstance(response, Unavailable):
        return response
    if response.status == 206 and _range_of(response) == (span, version):
        return Result(response, span.length, md5_of(version.etag, response.headers), version)
    if response.status in (200, 206, 412, 416):
        response.close()
        raise SourceChanged
    return _no_result(response)


def md5_of(etag: str, headers: Mapping[str, str]) -> str | None:
    """The MD5 that an ETag of S3's is, unless a key of the customer's or of KMS encrypts the object."""
    found = _MD5_ETAG.fullmatch(etag)
    is_keyed = "kms" in headers.get("x-amz-server-side-encryption", "") or any(
        name.lower().startswith("x-amz-server-side-encryption-customer") for name in headers
    )
    return found[1] if found and not is_keyed else None


def _get(
    http: urllib3.PoolManager, link: Link, patience: float, headers: Mapping[str, str]
) -> urllib3.BaseHTTPResponse | Unavailable:
    """Ask, with no header of ours but those that ask for bytes as they are, and for which of them."""
    try:
        response = http.request(
            "GET",
            link.url,
            headers={"Accept-Encoding": "identity", **headers},
            timeout=urllib3.Timeout(connect=min(_CONNECT_SECONDS, patience), read=min(_READ_SECONDS, patience)),
            retries=False,
            redirect=False,
            preload_content=False,
        )
    except HTTPError as error:
        return Unavailable(f"The result could not be opened ({type(error).__name__}).")
    if response.status == 403:
        response.close()
        raise LinkExpired
    return response


def _no_result(response: urllib3.BaseHTTPResponse) -> Refused | Unavailable:
    response.close()
    if response.status == 429 or response.status >= 500:
        return Unavailable(f"The file host answered with status {response.status}.")
    return Refused(f"The file host answered with status {response.status}, so there is no result to read.")


def _range_of(response: urllib3.BaseHTTPResponse) -> tuple[Span, Version] | None:
    """Which bytes of what a 206 holds; None when it does not say so for certain."""
    told = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    etag = response.headers.get("ETag", "")
    if not told or not _STRONG_ETAG.fullmatch(etag):
        return None
    first, last, length = map(int, told.groups())
    return Span(first, last), Version(etag, length)


def _whole(response: urllib3.BaseHTTPResponse) -> Result | Refused:
    length = response.headers.get("Content-Length", "")
    checksum = md5_of(response.headers.get("ETag", ""), response.headers)
    if length.isdecimal():
        return Result(response, int(length), checksum)
    # An end is also certain when HTTP's own chunks mark it, or when there is a checksum.
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked" or checksum is not None:
        return Result(response, None, checksum)
    response.close()
    return Refused("The file host does not say how long the result is, so a cut transfer would pass for a whole one.")


def _matches(host: str, pattern: str) -> bool:
    """Compare part by part, so that `*` never spans a dot."""
    names, patterns = host.split("."), pattern.lower().split(".")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))
