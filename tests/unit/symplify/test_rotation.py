"""A token that is replaced while functions are warm."""

from typing import Any

import pytest

from lambdas.symplify.answers import Batch, Link, Ordered
from lambdas.symplify.client import Client
from tests.unit.fakes import BASE_URL, RESULT_URL, FakeHttp
from tests.unit.symplify.calls import CALLS, HEADER, STATUS, Secret

ANSWERS = [('{"batchId": "7"}', Ordered), (STATUS, Batch), (RESULT_URL, Link), ('{"restUrl": "x"}', dict)]


@pytest.mark.parametrize(("call", "answer"), list(zip(CALLS, ANSWERS, strict=True)))
def test_no_call_fails_when_the_new_token_is_in_the_secret_before_the_old_one_is_revoked(
    http: FakeHttp, call: Any, answer: tuple[str, type]
) -> None:
    client = Client(http, BASE_URL, "4711", Secret("old", "new"))
    http.answers(200, STATUS)
    client.batch("7")
    text, kind = answer
    http.answers(401, "revoked").answers(200, text)
    assert isinstance(call(client), kind)
    http.answers(200, STATUS)
    client.batch("7")
    assert [sent.headers[HEADER] for sent in http.calls] == ["old", "old", "new", "new"]
