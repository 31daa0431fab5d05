"""The calls for a batch's status, the account and the link."""

import json
from typing import Any
from urllib.parse import quote

import pytest

from lambdas.symplify.answers import (
    Batch,
    BatchState,
    Link,
    RateLimited,
    Refused,
    Unavailable,
)
from lambdas.symplify.client import Client
from tests.unit.fakes import BASE_URL, RESULT_URL, FakeHttp

CHOSEN = {"Queued ": "running", "done": "finished", "CANCELLED": "failed"}

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


@pytest.mark.parametrize(
    ("printed", "state"),
    [
        (" queued", BatchState.RUNNING),
        ("Done", BatchState.FINISHED),
        ("CANCELLED", BatchState.FAILED),
        ("FINISHED", BatchState.FINISHED),
    ],
)
def test_a_chosen_word_means_what_the_setting_says_and_the_built_in_ones_stay(
    client: Client, http: FakeHttp, printed: str, state: BatchState
) -> None:
    http.answers(200, json.dumps({"status": printed}))

    assert client.batch("7", CHOSEN) == Batch(state, None, None)


def test_a_word_that_is_not_chosen_is_refused_and_the_sentence_names_it_and_the_setting(
    client: Client, http: FakeHttp
) -> None:
    http.answers(200, '{"status": "Paused"}')

    answer = client.batch("7", CHOSEN)

    assert isinstance(answer, Refused)
    for words in ("'PAUSED'", "QUEUED", "the setting batchStatuses"):
        assert words in answer.reason


def test_counters_that_are_no_numbers_are_left_out(client: Client, http: FakeHttp) -> None:
    http.answers(200, '{"status": "PENDING", "processed": "5", "total": true}')

    assert client.batch("7") == Batch(BatchState.RUNNING, None, None)


@pytest.mark.parametrize(
    "body", ["", "<html>We are back soon</html>", "[1]", "[" * 100_000, '{"error": "temporarily unavailable"}', "{}"]
)
def test_an_answer_without_a_status_is_unavailable(client: Client, http: FakeHttp, body: str) -> None:
    http.answers(200, body)

    assert isinstance(client.batch("7"), Unavailable)


# The account


def test_the_accounts_addresses_are_fetched(client: Client, http: FakeHttp) -> None:
    http.answers(200, json.dumps({"restUrl": BASE_URL}))

    assert client.account() == {"restUrl": BASE_URL}
    assert http.paths == ["/rest/4711/apiurl"]


# The link


LINK = RESULT_URL + "&Key-Pair-Id=K%2B1"
ESCAPED = LINK.replace("/", "\\/").replace("&", "\\u0026")


@pytest.mark.parametrize(
    "body",
    [
        LINK,
        f" {LINK}\n",
        f'"{LINK}"',
        f"'{LINK}'",
        f'"{ESCAPED}"',
        f' \ufeff "{ESCAPED}"\r\n',
        ESCAPED,
        json.dumps(json.dumps(LINK)),
        LINK.replace("&", "&amp;"),
        quote(LINK, safe=""),
        "\ufeff" + LINK,
        LINK.encode("utf-8-sig"),
        LINK.encode("utf-16"),
    ],
)
def test_the_link_is_read_however_it_is_written_and_requested_without_accepting_json(
    client: Client, http: FakeHttp, body: str | bytes
) -> None:
    http.answers(200, body)

    answer = client.link("7")

    assert answer == Link(LINK)
    assert http.paths == ["/rest/4711/batches/7/result/url"]
    assert "json" not in str(http.calls[0].headers).lower()
    assert "s3cr3t" not in repr(answer)


NO_LINKS = [
    "",
    "<html>no</html>",
    f'<html><body>We are back soon: <a href="{RESULT_URL}">{RESULT_URL}</a></body></html>',
    f'<?xml version="1.0"?><Error><Code>AccessDenied</Code><Resource>{RESULT_URL}</Resource></Error>',
    json.dumps({"error": "expired", "url": RESULT_URL}),
    json.dumps({"error": "expired", "url": RESULT_URL}).replace("/", "\\/"),
    json.dumps([RESULT_URL]),
    f"See {RESULT_URL}",
    f"{RESULT_URL}\n{RESULT_URL}",
    "The result is not ready; Signature=s3cr3t is no longer valid.",
    "null",
]


@pytest.mark.parametrize("body", NO_LINKS)
def test_a_page_or_an_error_document_is_no_link_and_is_waited_for_without_showing_an_address(
    client: Client, http: FakeHttp, body: str
) -> None:
    for other in ((200, body), (404, body)):
        http.answers(200, body).answers(*other)

        answer = client.link("7")

        assert isinstance(answer, Unavailable)
        assert "no link" in answer.reason
        assert "s3cr3t" not in answer.reason
        assert len(answer.reason) < 300


@pytest.mark.parametrize("body", NO_LINKS)
def test_the_redirect_is_used_when_the_call_for_the_link_answers_with_a_page(
    client: Client, http: FakeHttp, body: str
) -> None:
    http.answers(200, body).answers(302, headers={"Location": RESULT_URL})

    assert client.link("7") == Link(RESULT_URL)


@pytest.mark.parametrize("location", ["/login", "", "login?next=1"])
def test_a_redirect_to_a_page_of_symplifys_own_is_no_link(client: Client, http: FakeHttp, location: str) -> None:
    http.answers(200, "<html>no</html>").answers(302, headers={"Location": location})

    assert isinstance(client.link("7"), Unavailable)


@pytest.mark.parametrize("call", [lambda client: client.link("7"), lambda client: client.batch("7")])
def test_a_refusal_quotes_no_link_and_nobody(client: Client, http: FakeHttp, call: Any) -> None:
    for _ in range(2):
        http.answers(400, f"jane@example.com may not read {RESULT_URL}")

    answer = call(client)

    assert isinstance(answer, Refused)
    assert "(masked) may not read (a link)" in answer.reason


@pytest.mark.parametrize(("status", "body"), [(406, "no"), (404, "no")])
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
