"""What all calls of Symplify's API share: statuses, retries, and that the token never leaks."""

import html
import json
from typing import Any
from urllib.parse import quote, quote_plus, unquote_plus

import pytest

from lambdas.symplify.answers import (
    Batch,
    BatchState,
    NotFound,
    NoToken,
    RateLimited,
    Refused,
    Unavailable,
)
from lambdas.symplify.client import Client
from lambdas.symplify.token import TokenNotSet
from tests.unit.fakes import BASE_URL, TOKEN, CutBody, FakeHttp
from tests.unit.symplify.calls import CALLS, HEADER, STATUS, Secret, order

# Statuses that all calls share


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(
    ("status", "words"),
    [(400, "period is wrong"), (401, "valid API token"), (403, "customer id"), (404, "status 404")],
)
def test_a_refusal_quotes_the_vendor_and_advises(
    client: Client, http: FakeHttp, call: Any, status: int, words: str
) -> None:
    for _ in range(2):
        http.answers(status, "the  period\nis wrong \x1b[31m")

    answer = call(client)

    assert isinstance(answer, Refused)
    assert isinstance(answer, NotFound) == (status == 404)
    assert words in answer.reason
    assert "the period is wrong" in answer.reason
    assert answer.reason.isprintable()


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("hint", ["120", None])
def test_too_many_requests_is_returned_at_once_and_never_slept_through(
    client: Client, http: FakeHttp, call: Any, hint: str | None
) -> None:
    http.answers(429, headers={"Retry-After": hint} if hint else {})

    answer = call(client)

    assert isinstance(answer, RateLimited)
    least = int(hint or 60)
    assert least <= answer.wait_seconds <= least + 10
    assert len(http.calls) == 1
    assert http.clock.slept == []


def test_a_get_is_sent_three_times_when_the_server_fails(client: Client, http: FakeHttp) -> None:
    http.answers(503, headers={"Retry-After": "3000"}).fails(ConnectionResetError(104, "reset")).answers(200, STATUS)

    assert client.batch("7") == Batch(BatchState.RUNNING, 5, 7)
    assert sum(http.clock.slept) <= 2


@pytest.mark.parametrize("call", [lambda client: client.batch("7"), lambda client: client.link("7")])
def test_a_get_that_the_server_fails_on_is_unavailable(client: Client, http: FakeHttp, call: Any) -> None:
    for _ in range(6):
        http.answers(500, "down")

    assert isinstance(call(client), Unavailable)


@pytest.mark.parametrize("call", [lambda client: client.batch("7"), lambda client: client.link("7")])
def test_a_get_whose_connection_is_reset_is_unavailable(client: Client, http: FakeHttp, call: Any) -> None:
    for _ in range(6):
        http.fails(ConnectionResetError(104, "reset"))

    assert isinstance(call(client), Unavailable)


def test_an_endless_answer_is_read_to_a_megabyte(client: Client, http: FakeHttp) -> None:
    class Endless(CutBody):
        read_so_far = 0

        def read(self, size: int = -1, /) -> bytes:
            assert 0 <= size <= 1 << 20
            self.read_so_far += size
            assert self.read_so_far <= 2 << 20
            return b"x" * size

    http.answers(400, Endless(b"", OSError()))

    answer = client.batch("7")

    assert isinstance(answer, Refused)
    assert len(answer.reason) < 500


# The token


def test_a_token_that_was_replaced_is_read_once_more_on_401(http: FakeHttp) -> None:
    secret = Secret("old", "new")
    client = Client(http, BASE_URL, "4711", secret)
    http.answers(200, STATUS).answers(401).answers(200, STATUS)

    client.batch("7")
    answer = client.batch("7")

    assert isinstance(answer, Batch)
    assert [call.headers[HEADER] for call in http.calls] == ["old", "old", "new"]
    assert secret.reads == 2


def test_a_second_401_is_a_refusal(http: FakeHttp) -> None:
    secret = Secret("old", "new")
    client = Client(http, BASE_URL, "4711", secret)
    http.answers(200, STATUS).answers(401).answers(401)

    client.batch("7")

    assert isinstance(client.batch("7"), Refused)
    assert secret.reads == 2


def test_a_401_to_a_token_just_read_is_not_retried(client: Client, http: FakeHttp) -> None:
    http.answers(401)

    assert isinstance(order(client), Refused)
    assert len(http.calls) == 1


@pytest.mark.parametrize("call", CALLS)
def test_a_secret_without_a_token_is_refused_before_any_call(http: FakeHttp, call: Any) -> None:
    def unset() -> str:
        raise TokenNotSet("Set the token.")

    assert call(Client(http, BASE_URL, "4711", unset)) == NoToken("Set the token.")
    assert http.calls == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("status", [400, 401, 403, 404, 500, 503])
def test_a_token_that_symplify_repeats_is_masked(
    client: Client, http: FakeHttp, call: Any, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        http.answers(status, f"the token '{TOKEN}' is wrong; {TOKEN}")

    answer = call(client)

    assert TOKEN not in repr(answer) + str(answer) + repr(client) + str(vars(answer)) + caplog.text


HARD = 'a/b+c"d=e%&f'


@pytest.mark.parametrize(
    "repeated",
    [
        HARD.encode(),
        json.dumps({"message": HARD}).encode(),
        json.dumps({"message": HARD}).replace("/", "\\/").encode(),
        "".join(f"\\u{ord(sign):04x}" for sign in HARD).join(['{"status": "', '"}']).encode(),
        html.escape(HARD).encode(),
        quote(HARD, safe="").encode(),
        quote_plus(HARD).lower().encode(),
        HARD.encode("utf-16"),
    ],
)
@pytest.mark.parametrize("call", CALLS[1:3])
@pytest.mark.parametrize("status", [200, 400])
def test_a_token_that_is_repeated_in_another_writing_is_masked(
    http: FakeHttp, call: Any, repeated: bytes, status: int
) -> None:
    for _ in range(2):
        http.answers(status, repeated)

    answer = call(Client(http, BASE_URL, "4711", Secret(HARD)))

    assert isinstance(answer, Refused | Unavailable)
    plain = unquote_plus(html.unescape(answer.reason.replace("\\", "")))
    assert HARD not in answer.reason + plain
    assert "[token]" in answer.reason


@pytest.mark.parametrize("call", CALLS)
def test_an_error_of_the_network_is_reported_by_its_kind_alone(
    client: Client, http: FakeHttp, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        http.fails(ConnectionResetError(104, f"reset with {TOKEN}"))

    assert TOKEN not in repr(call(client))
