"""The result file behind a signed link: checked, opened whole or by ranges, and read as raw bytes.

Links are signed for GET alone and a HEAD would be refused, so a ranged GET shows whether the source serves ranges.
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
# Only what a signed link consists of, since parsers differ on blanks, line ends, backslashes and letters beyond ASCII.
_PLAIN = re.compile(r"[a-z]+://[^/?#%\\]+[/?][!-~]{1,8000}", re.ASCII | re.IGNORECASE)
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")
# A strong ETag; a weak one (`W/"..."`) does not promise the same bytes.
_STRONG_ETAG = re.compile(r'"[!#-~]{1,200}"')
# S3 refuses a link whose time is over with 403, and one whose credentials' time is over with 400 (ExpiredToken,
# TokenRefreshRequired, InvalidToken); others answer RequestExpired, or say with 404 or 410 that a link has expired.
_EXPIRY_STATUSES = (400, 404, 410)
_EXPIRY = re.compile(rb"expired|TokenRefreshRequired|InvalidToken", re.I)
_CODE = re.compile(rb"<Code>([A-Za-z]{1,60})</Code>")
_ERROR_BYTES = 4096
_MD5_ETAG = re.compile(r'"([0-9a-f]{32})"')


class LinkExpired(Exception):
    """The file host no longer accepts the link; the text is its answer's status, with a code if it gives one."""


class SourceChanged(Exception):
    """The source has other bytes by now than those already read."""


class Broken(Exception):
    """The source did not send what it promised."""


@dataclass(frozen=True)
class Span:
    """A range of bytes, the last one included."""

    first: int
    last: int

    @property
    def length(self) -> int:
        """How many bytes it has."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class Version:
    """The version of a source that serves ranges: all reads of one copy must agree on it."""

    etag: str
    length: int


def check_link(link: Link, hosts: tuple[str, ...], *, allow_loopback_http: bool) -> Refused | None:
    """Refuse a link that is not https to a host on the list, or that carries user information.

    It is parsed by the library that will connect, so that the checked host is the host that is called.
    """
    try:
        url = parse_url(link.url) if _PLAIN.fullmatch(link.url) else None
    except LocationParseError:
        url = None
    host = (url.host or "").lower() if url else ""
    if url is None or not host:
        return Refused("Symplify's link to the result is not a valid link; nothing was read.")
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
    """An open result, or a range of it: its bytes as received, never decoded, and checked to the end."""

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
        """Of the whole file, in hexadecimal, if the source declares it."""
        self.version = version
        """The version of further ranges; None when the source sent the whole file instead of a range."""

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
            raise Broken(f"The {size} received bytes do not have the MD5 that the source declares.")

    def close(self) -> None:
        """Leave the rest unread."""
        self._response.close()


def open_first(
    http: urllib3.PoolManager, link: Link, size: int, patience: float = _READ_SECONDS
) -> Result | Refused | Unavailable:
    """Open the first `size` bytes of a checked link, or the whole file when the source cannot serve the rest by ranges.

    Raises:
        LinkExpired: the link has expired.
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
        # A range without a usable version, or no range at all, as of an empty file.
        response.close()
        response = _get(http, link, patience, {})
        if isinstance(response, Unavailable):
            return response
    return _whole(response) if response.status == 200 else _no_result(response)


def open_range(
    http: urllib3.PoolManager, link: Link, span: Span, version: Version, patience: float = _READ_SECONDS
) -> Result | Refused | Unavailable:
    """Open a range of that version.

    Raises:
        LinkExpired: the link has expired.
        SourceChanged: the source has other bytes by now, or no longer serves ranges.
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
    """The MD5 in an ETag of S3; None for an object that is encrypted with a customer's or a KMS key."""
    found = _MD5_ETAG.fullmatch(etag)
    is_keyed = "kms" in headers.get("x-amz-server-side-encryption", "") or any(
        name.lower().startswith("x-amz-server-side-encryption-customer") for name in headers
    )
    return found[1] if found and not is_keyed else None


def _get(
    http: urllib3.PoolManager, link: Link, patience: float, headers: Mapping[str, str]
) -> urllib3.BaseHTTPResponse | Unavailable:
    """Send a GET with no more headers than those that choose the bytes and keep them as they are."""
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
    if response.status in (401, 403, *_EXPIRY_STATUSES):
        said = _error(response)
        if response.status not in _EXPIRY_STATUSES or _EXPIRY.search(said):
            code = _CODE.search(said)
            raise LinkExpired(f"{response.status} ({code[1].decode()})" if code else str(response.status))
    return response


def _error(response: urllib3.BaseHTTPResponse) -> bytes:
    """The beginning of an error's body."""
    try:
        return response.read(_ERROR_BYTES, decode_content=True)
    except HTTPError:
        return b""
    finally:
        response.close()


def _no_result(response: urllib3.BaseHTTPResponse) -> Refused | Unavailable:
    response.close()
    if response.status == 429 or response.status >= 500:
        return Unavailable(f"The file host answered with status {response.status}.")
    return Refused(f"The file host answered with status {response.status}, so there is no result to read.")


def _range_of(response: urllib3.BaseHTTPResponse) -> tuple[Span, Version] | None:
    """The range and version of a 206; None when its headers leave either open."""
    declared = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    etag = response.headers.get("ETag", "")
    if not declared or not _STRONG_ETAG.fullmatch(etag):
        return None
    first, last, length = map(int, declared.groups())
    return Span(first, last), Version(etag, length)


def _whole(response: urllib3.BaseHTTPResponse) -> Result | Refused:
    length = response.headers.get("Content-Length", "")
    checksum = md5_of(response.headers.get("ETag", ""), response.headers)
    if length.isdecimal():
        return Result(response, int(length), checksum)
    # HTTP's chunked encoding marks the end as well, and a checksum proves it.
    if response.headers.get("Transfer-Encoding", "").lower() == "chunked" or checksum is not None:
        return Result(response, None, checksum)
    response.close()
    return Refused(
        "The file host does not say how long the result is, so a transfer that is cut off would look complete."
    )


def _matches(host: str, pattern: str) -> bool:
    """Compare label by label, so that `*` never spans a dot."""
    names, patterns = host.split("."), pattern.lower().split(".")
    return len(names) == len(patterns) and all(map(fnmatchcase, names, patterns))
