"""The calls of Symplify's API: what each answer means, and that the token never leaks."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError, ReadTimeoutError

from lambdas.symplify.answers import (
    Batch,
    BatchState,
    Link,
    Lost,
    NotFound,
    NoToken,
    Ordered,
    RateLimited,
    Refused,
    Unavailable,
)
from lambdas.symplify.client import Client
from lambdas.symplify.token import TokenNotSet
from lambdas.vocabulary import EXPORT_TYPES, Period
from tests.unit.fakes import BASE_URL, ORDER_PATH, RESULT_URL, TOKEN, CutBody, FakeHttp

POOL: Any = None
OPENS = EXPORT_TYPES["OPENS"]
HEADER = "X-Carma-Authentication-Token"
STATUS = json.dumps({"id": 101111, "type": " STAT_EXPORT", "status": " IN_PROGRESS", "processed": 5, "total": 7})


class Secret:
    """A secret that changes, and counts how often it is read."""

    def __init__(self, *tokens: str) -> None:
        self._tokens: Iterator[str] = iter(tokens)
        self._last = ""
        self.reads = 0

    def __call__(self) -> str:
        self.reads += 1
        self._last = next(self._tokens, self._last)
        return self._last


@pytest.fixture
def client(http: FakeHttp) -> Client:
    return Client(http, BASE_URL + "/", "4711", Secret(TOKEN))


def order(client: Client) -> Any:
    return client.order(OPENS, Period.LAST_3_DAYS)


CALLS: list[Callable[[Client], Any]] = [
    order,
    lambda client: client.batch("7"),
    lambda client: client.link("7"),
    lambda client: client.account(),
]


# Orders


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


@pytest.mark.parametrize("call", CALLS)
def test_an_error_of_the_network_is_reported_by_its_kind_alone(
    client: Client, http: FakeHttp, call: Any, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(6):
        http.fails(ConnectionResetError(104, f"reset with {TOKEN}"))

    assert TOKEN not in repr(call(client))


# The status call


@pytest.mark.parametrize(
    ("printed", "state"),
    [
        ("PENDING", BatchState.RUNNING),
        (" PENDING", BatchState.RUNNING),
        ("\tin_progress \n", BatchState.RUNNING),
        ("Finished", BatchState.FINISHED),
        (" ERROR ", BatchState.FAILED),
    ],
)
def test_a_status_is_read_without_blanks_and_case(
    client: Client, http: FakeHttp, printed: str, state: BatchState
) -> None:
    http.answers(200, json.dumps({"status": printed, "processed": 500, "total": 501}))

    assert client.batch("101111") == Batch(state, 500, 501)
    assert http.paths == ["/rest/4711/batches/101111"]


@pytest.mark.parametrize("status", ["PAUSED", "", None, 5, ["FINISHED"], "x" * 5000])
def test_an_unknown_status_is_refused_and_shown(client: Client, http: FakeHttp, status: Any) -> None:
    http.answers(200, json.dumps({"status": status}))

    answer = client.batch("7")

    assert isinstance(answer, Refused)
    assert "IN_PROGRESS" in answer.reason
    assert len(answer.reason) < 600


def test_counters_that_are_no_numbers_are_left_out(client: Client, http: FakeHttp) -> None:
    http.answers(200, '{"status": "PENDING", "processed": "5", "total": true}')

    assert client.batch("7") == Batch(BatchState.RUNNING, None, None)


@pytest.mark.parametrize("body", ["", "<html>We are back soon</html>", "[1]", "[" * 100_000])
def test_an_answer_that_is_no_json_object_is_unavailable(client: Client, http: FakeHttp, body: str) -> None:
    http.answers(200, body)

    assert isinstance(client.batch("7"), Unavailable)


def test_a_batch_id_cannot_lead_to_another_path(client: Client, http: FakeHttp) -> None:
    http.answers(404)

    client.batch("../x?y#z")

    assert http.paths == ["/rest/4711/batches/..%2Fx%3Fy%23z"]


# The account


def test_the_accounts_addresses_are_fetched(client: Client, http: FakeHttp) -> None:
    http.answers(200, json.dumps({"restUrl": BASE_URL}))

    assert client.account() == {"restUrl": BASE_URL}
    assert http.paths == ["/rest/4711/apiurl"]


# The link


@pytest.mark.parametrize("body", [RESULT_URL, f'"{RESULT_URL}"', f" {RESULT_URL}\n"])
def test_the_link_is_requested_without_accepting_json(client: Client, http: FakeHttp, body: str) -> None:
    http.answers(200, body)

    answer = client.link("7")

    assert answer == Link(RESULT_URL)
    assert http.paths == ["/rest/4711/batches/7/result/url"]
    assert "json" not in str(http.calls[0].headers).lower()
    assert "s3cr3t" not in repr(answer)


@pytest.mark.parametrize(("status", "body"), [(406, "no"), (404, "no"), (200, "<html>no</html>"), (200, "")])
def test_the_redirect_is_used_when_the_call_for_the_link_fails(
    client: Client, http: FakeHttp, status: int, body: str
) -> None:
    http.answers(status, body).answers(303, headers={"Location": RESULT_URL})

    assert client.link("7") == Link(RESULT_URL)
    assert http.paths == ["/rest/4711/batches/7/result/url", "/rest/4711/batches/7/result"]
    assert "json" not in str([call.headers for call in http.calls]).lower()


def test_the_documented_calls_failure_is_returned_when_both_calls_for_a_link_fail(
    client: Client, http: FakeHttp
) -> None:
    http.answers(406, "first").answers(400, "second")

    answer = client.link("7")

    assert isinstance(answer, Refused)
    assert "first" in answer.reason


def test_a_result_that_is_no_redirect_is_no_link(client: Client, http: FakeHttp) -> None:
    http.answers(406, "first").answers(200, "[]")

    assert isinstance(client.link("7"), Refused)


def test_a_refused_link_waits_when_the_redirect_is_rate_limited(client: Client, http: FakeHttp) -> None:
    http.answers(406, "first").answers(429)

    assert isinstance(client.link("7"), RateLimited)


def test_a_refused_link_is_unavailable_when_the_redirect_has_no_answer(client: Client, http: FakeHttp) -> None:
    http.answers(406, "first")
    for _ in range(3):
        http.answers(500)

    assert isinstance(client.link("7"), Unavailable)
