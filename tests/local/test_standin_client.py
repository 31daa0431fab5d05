import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import urllib3

from lambdas.symplify.answers import Batch, BatchState, Link, NotFound, Ordered, RateLimited, Refused
from lambdas.symplify.client import Client
from lambdas.symplify.result import LinkExpired, Result, check_link, open_first
from lambdas.vocabulary import Period, export_type
from local.standin import ManualClock, Options, StandIn

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def http() -> Iterator[urllib3.PoolManager]:
    with urllib3.PoolManager() as http:
        yield http


@pytest.fixture
def standin(clock: ManualClock) -> Iterator[StandIn]:
    with StandIn(Options(token="secret-of-this-test", events_per_day=3000, calls_per_minute=100), clock) as standin:
        yield standin


@pytest.fixture
def client(http: urllib3.PoolManager, standin: StandIn) -> Client:
    return Client(http, standin.base_url, "1234", lambda: "secret-of-this-test")


def finished_link(client: Client) -> Link:
    ordered = client.order(export_type("OPENS"), Period.LAST_3_DAYS)
    assert isinstance(ordered, Ordered)
    for _ in range(3):
        client.batch(ordered.batch_id)
    link = client.link(ordered.batch_id)
    assert isinstance(link, Link)
    return link


def test_the_client_takes_an_export_from_order_to_bytes(
    http: urllib3.PoolManager, standin: StandIn, client: Client
) -> None:
    ordered = client.order(export_type("OPENED"), Period.LAST_3_DAYS)
    assert isinstance(ordered, Ordered)
    answers = [client.batch(ordered.batch_id) for _ in range(3)]
    states = [answer for answer in answers if isinstance(answer, Batch)]
    assert [state.state for state in states] == [BatchState.RUNNING, BatchState.RUNNING, BatchState.FINISHED]
    link = client.link(ordered.batch_id)
    assert isinstance(link, Link)
    assert check_link(link, (), allow_loopback_http=True) is None
    result = open_first(http, link, 1 << 24)
    assert isinstance(result, Result)
    content = b"".join(result.chunks())

    assert len(json.loads(content)) == states[-1].processed
    assert [call.kind for call in standin.calls] == ["order", "status", "status", "status", "link", "file"]
    assert [order.export_type for order in standin.orders] == ["OPENS"]
    assert not any(call.carried_token for call in standin.calls if call.server == "files")


def test_the_same_export_is_the_same_bytes_in_another_stand_in(http: urllib3.PoolManager, clock: ManualClock) -> None:
    digests = set()
    for _ in range(2):
        with StandIn(clock=clock) as standin:
            link = finished_link(Client(http, standin.base_url, "1234", lambda: standin.options.token))
            result = open_first(http, link, 1 << 24)
            assert isinstance(result, Result)
            digests.add(hashlib.sha256(b"".join(result.chunks())).hexdigest())
    assert len(digests) == 1


def test_the_client_sees_an_expired_link(
    http: urllib3.PoolManager, clock: ManualClock, standin: StandIn, client: Client
) -> None:
    link = finished_link(client)
    clock.advance(standin.options.link_seconds)
    with pytest.raises(LinkExpired):
        open_first(http, link, 1 << 24)


def test_the_client_sees_the_rate_limit(client: Client) -> None:
    for _ in range(100):
        client.batch("101111")
    assert isinstance(client.batch("101111"), RateLimited)


def test_the_client_sees_refusals(http: urllib3.PoolManager, standin: StandIn, client: Client) -> None:
    stranger = Client(http, standin.base_url, "1234", lambda: "wrong")
    elsewhere = Client(http, standin.base_url, "999", lambda: "secret-of-this-test")
    for other, status in ((stranger, "401"), (elsewhere, "403")):
        answer = other.batch("101111")
        assert isinstance(answer, Refused)
        assert status in answer.reason
    assert isinstance(client.batch("999"), NotFound)


def test_no_connection_is_kept_that_the_server_may_close_while_the_next_order_is_sent(
    http: urllib3.PoolManager, standin: StandIn, client: Client
) -> None:
    """The pool is asked for what it keeps: a kept connection would lose an order once in some hundred."""
    client.batch("101111")
    pool = http.connection_from_url(standin.base_url)
    assert pool.pool is not None
    kept = [pool.pool.get_nowait() for _ in range(pool.pool.qsize())]
    assert [connection for connection in kept if connection is not None and connection.sock is not None] == []
