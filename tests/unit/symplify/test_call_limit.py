"""The client under the stack's own limit of calls."""

from collections.abc import Callable
from typing import Any

import pytest

from lambdas.symplify.client import Client
from tests.unit.fakes import BASE_URL, TOKEN, FakeHttp
from tests.unit.symplify.calls import CALLS, STATUS, Secret


def limited(http: FakeHttp, *waits: int) -> tuple[Client, Callable[[], int]]:
    """A client whose calls are allowed as scripted, and how many it has asked for."""
    asked: list[int] = []

    def take() -> int:
        asked.append(waits[len(asked)] if len(asked) < len(waits) else 0)
        return asked[-1]

    return Client(http, BASE_URL, "4711", Secret(TOKEN), take), lambda: len(asked)


@pytest.mark.parametrize("call", CALLS)
def test_without_a_call_left_nothing_is_sent_and_the_wait_is_named_with_its_setting(http: FakeHttp, call: Any) -> None:
    client, _ = limited(http, 40)
    answer = call(client)
    assert 41 <= answer.wait_seconds <= 50
    assert "callsPerMinute" in answer.cause
    assert http.calls == []


@pytest.mark.parametrize("call", CALLS)
def test_every_request_takes_a_call_also_after_a_failure(http: FakeHttp, call: Any) -> None:
    client, taken = limited(http)
    for _ in range(3):
        http.answers(503)
    call(client)
    assert len(http.calls) == taken()
    assert http.clock.slept == []


def test_the_second_try_with_a_new_token_takes_a_call_too(http: FakeHttp) -> None:
    client, taken = limited(http, 0, 0, 30)
    http.answers(200, STATUS).answers(401)
    client.batch("7")
    answer: Any = client.batch("7")
    assert answer.wait_seconds > 30
    assert len(http.calls) == 2
    http.answers(200, STATUS)
    assert client.batch("7")
    assert (len(http.calls), taken()) == (3, 4)
