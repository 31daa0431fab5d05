"""The file behind a link: how it is opened, and which transfers are complete."""

import gzip
from typing import Any

import pytest
from urllib3.exceptions import IncompleteRead

from lambdas.symplify.answers import Link, Refused, Unavailable
from lambdas.symplify.result import (
    Broken,
    LinkExpired,
    Result,
    SourceChanged,
    Span,
    Version,
    md5_of,
    open_first,
    open_range,
)
from tests.unit.fakes import RESULT_URL, CutBody, FakeFile, FakeHttp

LINK = Link(RESULT_URL)
SIZE = 10
VERSION = Version('"etag"', 16)


def opened(http: FakeHttp) -> Result:
    result = open_first(http, Link(RESULT_URL), SIZE)
    assert isinstance(result, Result)
    return result


# How a link is opened


def test_a_link_is_opened_without_headers_of_ours(http: FakeHttp) -> None:
    http.answers(200, b"[]")

    opened(http)

    (call,) = http.calls
    assert dict(call.headers) == {"Accept-Encoding": "identity", "Range": "bytes=0-9"}
    assert call.url.endswith("?Expires=1&Signature=s3cr3t")


def xml(code: str, message: str = "") -> str:
    return f"<?xml version='1.0'?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (403, "", "403"),
        (403, xml("AccessDenied", "Request has expired"), "403 (AccessDenied)"),
        (403, xml("SignatureDoesNotMatch"), "403 (SignatureDoesNotMatch)"),
        (401, "", "401"),
        (400, xml("ExpiredToken", "The provided token has expired."), "400 (ExpiredToken)"),
        (400, xml("RequestExpired"), "400 (RequestExpired)"),
        (400, xml("AccessDenied", "Request has expired"), "400 (AccessDenied)"),
        (400, xml("TokenRefreshRequired"), "400 (TokenRefreshRequired)"),
        (400, xml("InvalidToken"), "400 (InvalidToken)"),
        (400, '{"error": "link_expired"}', "400"),
        (404, "This link has EXPIRED.", "404"),
        (410, "<html>Expired</html>", "410"),
    ],
)
def test_a_link_has_expired_by_the_status_or_by_what_the_error_says(
    http: FakeHttp, status: int, body: str, said: str
) -> None:
    http.answers(status, body).answers(status, body)

    with pytest.raises(LinkExpired) as first:
        open_first(http, LINK, SIZE)
    with pytest.raises(LinkExpired) as later:
        open_range(http, LINK, Span(0, 3), VERSION)

    assert [str(first.value), str(later.value)] == [said, said]


def test_an_error_whose_body_breaks_is_judged_by_its_status(http: FakeHttp) -> None:
    for status in (400, 403):
        http.answers(status, CutBody(b"", ConnectionResetError(104, "reset")), {"Content-Length": "30"})

    assert isinstance(open_first(http, Link(RESULT_URL), SIZE), Refused)
    with pytest.raises(LinkExpired):
        open_first(http, Link(RESULT_URL), SIZE)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_file_host_is_unavailable(http: FakeHttp, status: int) -> None:
    http.answers(status, headers={"Retry-After": "60"})

    assert isinstance(open_first(http, Link(RESULT_URL), SIZE), Unavailable)
    assert http.clock.slept == []


def test_a_file_host_that_does_not_answer_is_unavailable(http: FakeHttp) -> None:
    http.fails(ConnectionResetError(104, f"reset {RESULT_URL}"))

    answer = open_first(http, Link(RESULT_URL), SIZE)

    assert isinstance(answer, Unavailable)
    assert "s3cr3t" not in repr(answer)


@pytest.mark.parametrize("status", [204, 301, 307, 400, 404, 410, 412])
def test_any_other_status_is_refused(http: FakeHttp, status: int) -> None:
    http.answers(status, xml("InvalidArgument"), {"Location": "https://evil.example.com/"})

    assert isinstance(open_first(http, Link(RESULT_URL), SIZE), Refused)
    assert len(http.calls) == 1


# Which transfers are complete


@pytest.mark.parametrize("content", [b"", b"[]", b"x" * (3 << 20)])
def test_a_complete_body_is_returned_unchanged(http: FakeHttp, content: bytes) -> None:
    http.answers(200, content)

    assert b"".join(opened(http).chunks()) == content


def test_a_body_in_gzip_is_not_decoded(http: FakeHttp) -> None:
    packed = gzip.compress(b"[]")
    http.answers(200, packed, {"Content-Encoding": "gzip"})

    assert b"".join(opened(http).chunks()) == packed


@pytest.mark.parametrize("promised", [9, 11, 100])
def test_a_body_of_another_length_than_promised_is_broken(http: FakeHttp, promised: int) -> None:
    http.answers(200, b"0123456789", {"Content-Length": str(promised)})

    with pytest.raises(Broken):
        list(opened(http).chunks())


def test_a_body_longer_than_promised_is_not_read_to_the_end(http: FakeHttp) -> None:
    http.answers(200, b"x" * (8 << 20), {"Content-Length": "10"})
    chunks = opened(http).chunks()

    with pytest.raises(Broken):
        next(chunks)


@pytest.mark.parametrize("error", [ConnectionResetError(104, "reset"), TimeoutError(), IncompleteRead(1, 2)])
def test_a_body_that_breaks_off_is_broken(http: FakeHttp, error: Exception) -> None:
    http.answers(200, CutBody(b"0123", error), {"Content-Length": "10"})

    with pytest.raises(Broken) as broken:
        list(opened(http).chunks())

    cause: Any = broken.value.__cause__
    assert cause is None


@pytest.mark.parametrize("headers", [{}, {"Content-Length": "ten"}])
def test_a_body_without_a_length_is_refused(http: FakeHttp, headers: dict[str, str]) -> None:
    http.answers(200, CutBody(b"[]", OSError()), headers)

    answer = open_first(http, Link(RESULT_URL), SIZE)

    assert isinstance(answer, Refused | Unavailable)


def test_a_body_in_http_chunks_needs_no_length_since_its_end_is_marked(http: FakeHttp) -> None:
    http.answers(200, CutBody(b"", OSError()), {"Transfer-Encoding": "chunked"})

    opened(http)


# Ranges

CONTENT = b"0123456789abcdef"
ETAG = '"3d8e577bddb17db339eae0b3d9bcf180"'


def served(http: FakeHttp, content: bytes = CONTENT, etag: str | None = None) -> FakeFile:
    http.file = FakeFile(content, etag)
    return http.file


def body(result: object) -> bytes:
    assert isinstance(result, Result)
    return b"".join(result.chunks())


def test_a_source_that_serves_ranges_gives_the_first_bytes_and_the_version_of_the_rest(
    http: FakeHttp,
) -> None:
    served(http, etag=ETAG)

    first = opened(http)

    assert (first.version, first.md5) == (Version(ETAG, 16), ETAG.strip('"'))
    assert body(first) == CONTENT[:10]
    assert body(open_range(http, LINK, Span(10, 15), Version(ETAG, 16))) == CONTENT[10:]
    assert http.calls[1].headers["If-Match"] == ETAG


def test_a_file_shorter_than_the_first_range_is_read_completely_by_it(http: FakeHttp) -> None:
    served(http, b"012")

    first = opened(http)

    assert first.version is not None
    assert (first.version.length, body(first)) == (3, b"012")


def test_an_empty_file_is_read_without_ranges(http: FakeHttp) -> None:
    file = served(http, b"")

    first = opened(http)

    assert (first.version, body(first), len(file.ranges)) == (None, b"", 1)


@pytest.mark.parametrize(
    "headers",
    [
        {"ETag": ETAG},
        {"ETag": f"W/{ETAG}", "Content-Range": "bytes 0-9/16"},
        {"Content-Range": "bytes 0-9/16"},
        {"ETag": ETAG, "Content-Range": "bytes 0-9/*"},
        {"ETag": ETAG, "Content-Range": "bytes 1-10/16"},
        {"ETag": ETAG, "Content-Range": "bytes 0-8/16"},
    ],
)
def test_a_range_without_a_usable_version_is_replaced_by_the_whole_file(
    http: FakeHttp, headers: dict[str, str]
) -> None:
    http.answers(206, CONTENT[:10], headers).answers(200, CONTENT)

    assert body(opened(http)) == CONTENT
    assert "Range" not in http.calls[1].headers


def test_a_source_that_ignores_ranges_sends_the_whole_file_at_once(http: FakeHttp) -> None:
    http.answers(200, CONTENT)

    first = opened(http)

    assert (first.version, body(first), len(http.calls)) == (None, CONTENT, 1)


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        (412, {}),
        (416, {}),
        (200, {"ETag": ETAG}),
        (206, {"ETag": '"other"', "Content-Range": "bytes 10-15/16"}),
        (206, {"ETag": ETAG, "Content-Range": "bytes 10-15/17"}),
        (206, {"ETag": ETAG, "Content-Range": "bytes 9-14/16"}),
        (206, {}),
    ],
)
def test_a_range_of_anything_but_the_version_means_that_the_source_has_changed(
    http: FakeHttp, status: int, headers: dict[str, str]
) -> None:
    http.answers(status, b"abcdef", headers)

    with pytest.raises(SourceChanged):
        open_range(http, LINK, Span(10, 15), Version(ETAG, 16))


@pytest.mark.parametrize(("status", "kind"), [(503, Unavailable), (404, Refused)])
def test_a_range_that_cannot_be_opened_is_an_answer_and_no_exception(http: FakeHttp, status: int, kind: type) -> None:
    http.answers(status)

    assert isinstance(open_range(http, LINK, Span(0, 3), Version(ETAG, 16)), kind)


def test_a_range_whose_body_is_cut_is_broken(http: FakeHttp) -> None:
    http.answers(206, b"abc", {"ETag": ETAG, "Content-Range": "bytes 10-15/16"})

    with pytest.raises(Broken):
        body(open_range(http, LINK, Span(10, 15), Version(ETAG, 16)))


# Checksums


@pytest.mark.parametrize("length", [{}, {"Content-Length": ""}])
def test_a_whole_file_without_the_declared_md5_is_broken(http: FakeHttp, length: dict[str, str]) -> None:
    http.answers(200, CONTENT, {"ETag": ETAG, **length}).answers(200, CONTENT[:-1], {"ETag": ETAG, **length})

    with pytest.raises(Broken, match="MD5"):
        body(opened(http))
    with pytest.raises(Broken, match="MD5"):
        body(opened(http))


@pytest.mark.parametrize(
    ("etag", "headers", "is_md5"),
    [
        (ETAG, {}, True),
        (ETAG, {"x-amz-server-side-encryption": "AES256"}, True),
        (ETAG, {"x-amz-server-side-encryption": "aws:kms"}, False),
        (ETAG, {"x-amz-server-side-encryption": "aws:kms:dsse"}, False),
        (ETAG, {"X-Amz-Server-Side-Encryption-Customer-Algorithm": "AES256"}, False),
        ('"3d8e577bddb17db339eae0b3d9bcf180-3"', {}, False),
        (f"W/{ETAG}", {}, False),
        ("", {}, False),
    ],
)
def test_an_etag_is_an_md5_unless_it_is_of_several_parts_or_of_a_key(
    etag: str, headers: dict[str, str], is_md5: bool
) -> None:
    assert (md5_of(etag, headers) is not None) == is_md5
