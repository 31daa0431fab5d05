"""The call that orders an export: which answers are an order, and which leave it in doubt."""

import json
from typing import Any
from urllib.parse import unquote

import pytest
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from lambdas.symplify.answers import (
    Lost,
    Ordered,
    OrderUnusable,
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
        '{"batchId": 1.5}',
    ],
)
def test_an_order_whose_answer_names_no_batch_is_lost(client: Client, http: FakeHttp, body: Any) -> None:
    http.answers(200, body)

    assert isinstance(order(client), Lost)


UNUSABLE = [
    ".",
    "..",
    "...",
    "../101111",
    "1/2",
    "1\\2",
    "..%2f101111",
    "%2e%2e",
    "1?x=2",
    "1#2",
    "1;2",
    "1 2",
    "1\n2",
    "1\x002",
    "1\u202e2",
    "ö",
    "9" * 5000,
]


@pytest.mark.parametrize("batch_id", UNUSABLE)
def test_a_batch_id_that_would_leave_its_place_in_a_path_is_refused_with_a_sentence(
    client: Client, http: FakeHttp, batch_id: str
) -> None:
    http.answers(200, json.dumps({"batchId": batch_id}))

    answers = order(client), client.batch(batch_id), client.link(batch_id)

    assert isinstance(answers[0], OrderUnusable)
    assert all(isinstance(answer, Refused) and "batchId" in answer.reason for answer in answers)
    assert http.paths == [ORDER_PATH]


@pytest.mark.parametrize(
    "batch_id", ["101111", "-1", "a.b", "..a", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "~a_b:c=@+,!"]
)
def test_any_other_batch_id_is_one_step_of_the_path(client: Client, http: FakeHttp, batch_id: str) -> None:
    http.answers(200, json.dumps({"batchId": batch_id})).answers(200, '{"status": "PENDING"}')

    assert order(client) == Ordered(batch_id)
    client.batch(batch_id)

    assert unquote(http.paths[1]) == f"/rest/4711/batches/{batch_id}"
    assert http.paths[1].count("/") == 4


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
