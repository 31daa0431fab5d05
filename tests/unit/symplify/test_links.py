"""Which links are opened."""

import pytest

from lambdas.symplify.answers import Link, Refused
from lambdas.symplify.result import (
    check_link,
)
from tests.unit.fakes import RESULT_HOST, RESULT_URL

HOSTS = (RESULT_HOST, "*.s3.eu-west-1.amazonaws.com")


def check(url: str, *, loopback: bool = False) -> Refused | None:
    return check_link(Link(url), HOSTS, allow_loopback_http=loopback)


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
        # urllib3 ends the host at a backslash, other parsers do not: the checked host must be the one that is called.
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
def test_a_link_that_parsers_read_differently_is_refused(url: str) -> None:
    assert check(url) is not None


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080/x", "http://localhost/x", "http://[::1]:9/x"])
def test_plain_http_to_this_machine_needs_the_setting(url: str) -> None:
    assert check(url) is not None
    assert check(url, loopback=True) is None


@pytest.mark.parametrize("url", ["http://127.0.0.1.evil.example.com/x", "http://10.0.0.1/x", "http://u@localhost/x"])
def test_the_setting_allows_this_machine_alone(url: str) -> None:
    assert check(url, loopback=True) is not None


def test_a_refused_host_names_the_setting_that_would_allow_it() -> None:
    refused = check("https://other.s3.eu-north-1.amazonaws.com/x")

    assert refused is not None
    assert "other.s3.eu-north-1.amazonaws.com" in refused.reason
    assert "resultHosts" in refused.reason
