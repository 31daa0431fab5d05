"""The call that orders an export: which answers are an order, and which leave it in doubt."""

import json
from typing import Any

import pytest
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from lambdas.symplify.answers import (
    Lost,
    Ordered,
    Refused,
    Unavailable,
)
from lambdas.symplify.client import Client
from tests.unit.fakes import BASE_URL, ORDER_PATH, RESULT_URL, TOKEN, CutBody, FakeHttp
from tests.unit.symplify.calls import CALLS, HEADER, POOL, order


@pytest.mark.parametrize("given", ['"101111"', "101111", '" 101111 "'])
def test_an_order_gives_the_batch_id_whether_it_is_text_or_a_number(client: Client, http: FakeHttp, given: str) -> None:
    http.answers(200, f'{{"batchId": {given}}}')

    assert order(client) == Ordered("101111")
    (call,) = http.calls
    assert (call.method, call.path) == ("POST", ORDER_PATH)
    assert json.loads(call.body or b"") == {"exportType": "OPENS", "period": "LAST_3_DAYS"}
    assert call.headers[HEADER] == TOKEN


@pytest.mark.parametrize(
    "body",
    [
        "",
        "<html>hello</html>",
        "[]",
        '{"other": 1}',
        '{"batchId": null}',
        '{"batchId": true}',
        '{"batchId": ""}',
        '{"batchId": {"a": 1}}',
        '{"batchId": 1',
        b"\xff\xfe\x00",
        "[" * 100_000,
        json.dumps({"batchId": "9" * 5000}),
    ],
)
def test_an_order_whose_answer_names_no_batch_is_lost(client: Client, http: FakeHttp, body: Any) -> None:
    http.answers(200, body)

    assert isinstance(order(client), Lost)


@pytest.mark.parametrize("status", [408, 500, 502, 503, 504])
def test_an_order_that_the_server_failed_on_is_lost_and_sent_once(client: Client, http: FakeHttp, status: int) -> None:
    http.answers(status, headers={"Retry-After": "1"})

    assert isinstance(order(client), Lost)
    assert len(http.calls) == 1
    assert http.clock.slept == []


@pytest.mark.parametrize(
    "error", [ReadTimeoutError(POOL, "/secret-path", "timed out"), ConnectionResetError(104, "reset"), OSError("?")]
)
def test_an_order_without_an_answer_is_lost_and_sent_once(client: Client, http: FakeHttp, error: Exception) -> None:
    http.fails(error)

    assert isinstance(order(client), Lost)
    assert len(http.calls) == 1


def test_an_order_whose_answer_breaks_off_is_lost(client: Client, http: FakeHttp) -> None:
    http.answers(200, CutBody(b'{"batchId": ', ConnectionResetError(104, "reset")), {"Content-Length": "30"})

    assert isinstance(order(client), Lost)


def test_an_order_whose_answer_is_shorter_than_announced_is_lost(client: Client, http: FakeHttp) -> None:
    http.answers(200, b'{"batchId": "1"}', {"Content-Length": "40"})

    assert isinstance(order(client), Lost)


@pytest.mark.parametrize("error", [NewConnectionError(POOL, "refused"), ConnectTimeoutError(None, "too long")])
def test_an_order_that_could_not_be_sent_is_not_lost(client: Client, http: FakeHttp, error: Exception) -> None:
    http.fails(error)

    assert isinstance(order(client), Unavailable)


@pytest.mark.parametrize("call", CALLS)
def test_a_redirect_is_never_followed_with_the_token(client: Client, http: FakeHttp, call: Any) -> None:
    for _ in range(2):
        http.answers(302, headers={"Location": RESULT_URL})

    call(client)

    assert all(seen.url.startswith(BASE_URL.replace(".com", ".com:443")) for seen in http.calls)


def test_a_redirected_order_is_refused(client: Client, http: FakeHttp) -> None:
    http.answers(301, headers={"Location": "https://elsewhere.example.com/"})

    answer = order(client)

    assert isinstance(answer, Refused)
    assert "redirect" in answer.reason
    assert "baseUrl" in answer.reason
