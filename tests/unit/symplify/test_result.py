"""The file behind a link: which links are opened, and which transfers count as whole."""

import gzip
from typing import Any

import pytest
from urllib3.exceptions import IncompleteRead

from lambdas.symplify.outcomes import Link, Refused, Unavailable
from lambdas.symplify.result import Broken, LinkExpired, Result, check_link, open_result
from tests.unit.fakes import RESULT_HOST, RESULT_URL, CutBody, FakeHttp

HOSTS = (RESULT_HOST, "*.s3.eu-west-1.amazonaws.com")


def check(url: str, *, loopback: bool = False) -> Refused | None:
    return check_link(Link(url), HOSTS, allow_loopback_http=loopback)


def opened(http: FakeHttp) -> Result:
    result = open_result(http, Link(RESULT_URL))
    assert isinstance(result, Result)
    return result


# Which links are opened


@pytest.mark.parametrize(
    "url",
    [
        RESULT_URL,
        RESULT_URL.replace(RESULT_HOST, RESULT_HOST.upper()),
        f"HTTPS://{RESULT_HOST}:443/x",
        "https://carma.s3.eu-west-1.amazonaws.com/x?a=b%2Bc",
    ],
)
def test_https_to_a_host_on_the_list_is_allowed(url: str) -> None:
    assert check(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "no link",
        "[]",
        "https://",
        "https:///x",
        f"//{RESULT_HOST}/x",
        f"http://{RESULT_HOST}/x",
        f"ftp://{RESULT_HOST}/x",
        f"file://{RESULT_HOST}/x",
        f"https://{RESULT_HOST}:8443/x",
        f"https://{RESULT_HOST}:99999/x",
        f"https://{RESULT_HOST}:x/x",
        f"https://user@{RESULT_HOST}/x",
        f"https://user:s3cr3t@{RESULT_HOST}/x",
        f"https://{RESULT_HOST}@evil.example.com/x",
        "https://evil.example.com/x",
        f"https://evil.example.com/{RESULT_HOST}",
        f"https://{RESULT_HOST}.evil.example.com/x",
        f"https://evil{RESULT_HOST}/x",
        "https://s3.eu-west-1.amazonaws.com/x",
        "https://a.b.s3.eu-west-1.amazonaws.com/x",
        "https://169.254.169.254/latest/meta-data",
        "https://" + "x" * 100_000,
    ],
)
@pytest.mark.parametrize("loopback", [False, True])
def test_any_other_link_is_refused_with_a_short_sentence(url: str, loopback: bool) -> None:
    refused = check(url, loopback=loopback)

    assert refused is not None
    assert len(refused.reason) < 500
    assert "s3cr3t" not in refused.reason


@pytest.mark.parametrize(
    "url",
    [
        # urllib3 ends the host at a backslash, other parsers do not: the checked host must be the one that is asked.
        "https://localhost\\.s3.eu-west-1.amazonaws.com/x",
        "https://evil\\.s3.eu-west-1.amazonaws.com/x",
        # Some parsers drop line ends and tabs.
        f"https://evil.example.com\n.{RESULT_HOST}/x",
        f"https://{RESULT_HOST[:5]}\n{RESULT_HOST[5:]}/x",
        f"https://{RESULT_HOST}/x\r\nHost: evil",
        f"https://{RESULT_HOST}/a b",
        f"https://{RESULT_HOST}\u3002evil.example.com/x",
        "https://%65vil.s3.eu-west-1.amazonaws.com/x",
    ],
)
def test_a_link_that_two_parsers_could_read_in_two_ways_is_refused(url: str) -> None:
    assert check(url) is not None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x"])
def test_plain_http_to_this_machine_needs_the_setting(url: str) -> None:
    assert check(url) is not None
    assert check(url, loopback=True) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1.evil.example.com/x", "http://10.0.0.1/x", "http://u@localhost/x"])
def test_the_setting_opens_nothing_but_this_machine(url: str) -> None:
    assert check(url, loopback=True) is not None


def test_a_refused_host_names_the_setting_that_would_allow_it() -> None:
    refused = check("https://other.s3.eu-north-1.amazonaws.com/x")

    assert refused is not None
    assert "other.s3.eu-north-1.amazonaws.com" in refused.reason
    assert "resultHosts" in refused.reason


# How a link is opened


def test_a_link_is_opened_without_headers_of_ours(http: FakeHttp) -> None:
    http.answers(200, b"[]")

    opened(http)

    (call,) = http.calls
    assert dict(call.headers) == {"Accept-Encoding": "identity"}
    assert call.url.endswith("?Expires=1&Signature=s3cr3t")


def test_a_forbidden_link_has_expired(http: FakeHttp) -> None:
    http.answers(403)

    with pytest.raises(LinkExpired):
        open_result(http, Link(RESULT_URL))


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_busy_file_host_may_be_asked_again(http: FakeHttp, status: int) -> None:
    http.answers(status, headers={"Retry-After": "60"})

    assert isinstance(open_result(http, Link(RESULT_URL)), Unavailable)
    assert http.clock.slept == []


def test_a_file_host_that_does_not_answer_may_be_asked_again(http: FakeHttp) -> None:
    http.fails(ConnectionResetError(104, f"reset {RESULT_URL}"))

    answer = open_result(http, Link(RESULT_URL))

    assert isinstance(answer, Unavailable)
    assert "s3cr3t" not in repr(answer)


@pytest.mark.parametrize("status", [204, 206, 301, 307, 400, 404, 410])
def test_any_other_status_is_refused(http: FakeHttp, status: int) -> None:
    http.answers(status, headers={"Location": "https://evil.example.com/"})

    assert isinstance(open_result(http, Link(RESULT_URL)), Refused)
    assert len(http.calls) == 1


# Which transfers are whole


@pytest.mark.parametrize("content", [b"", b"[]", b"x" * (3 << 20)])
def test_a_whole_body_is_given_as_it_is(http: FakeHttp, content: bytes) -> None:
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


def test_a_body_longer_than_promised_is_not_read_to_its_end(http: FakeHttp) -> None:
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
def test_a_body_without_a_length_is_refused_since_a_cut_would_not_show(http: FakeHttp, headers: dict[str, str]) -> None:
    http.answers(200, CutBody(b"[]", OSError()), headers)

    answer = open_result(http, Link(RESULT_URL))

    assert isinstance(answer, Refused | Unavailable)


def test_a_body_in_http_chunks_needs_no_length_since_its_end_is_marked(http: FakeHttp) -> None:
    http.answers(200, CutBody(b"", OSError()), {"Transfer-Encoding": "chunked"})

    opened(http)
