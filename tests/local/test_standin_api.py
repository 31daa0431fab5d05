import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import urllib3

from lambdas.vocabulary import EXPORT_TYPES
from local.standin import ManualClock, Options, StandIn

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
TOKEN = {"X-Carma-Authentication-Token": "synthetic-token"}


class Caller:
    """Calls one customer's API and keeps the clock."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock(NOW)
        self.standin = StandIn(Options(**{"events_per_day": 200, **options}), self.clock)
        self._http = urllib3.PoolManager(retries=False, timeout=300)

    def call(self, method: str, path: str, **options: Any) -> urllib3.BaseHTTPResponse:
        url = f"{self.standin.base_url}/1234{path}"
        return self._http.request(method, url, redirect=False, **{"headers": TOKEN, **options})

    def order(self, export_type: str = "OPENS", period: str = "LAST_DAY") -> str:
        body = {"exportType": export_type, "period": period}
        batch_id = self.call("POST", "/batches/exports/statistics", json=body).json()["batchId"]
        assert isinstance(batch_id, str)
        return batch_id

    def status(self, batch_id: str) -> dict[str, Any]:
        return dict(self.call("GET", f"/batches/{batch_id}").json())

    def close(self) -> None:
        self._http.clear()
        self.standin.stop()


@pytest.fixture
def caller(request: pytest.FixtureRequest) -> Iterator[Caller]:
    caller = Caller(**getattr(request, "param", {}))
    yield caller
    caller.close()


def test_the_account_names_its_own_addresses(caller: Caller) -> None:
    answer = caller.call("GET", "/apiurl")
    assert answer.status == 200
    assert answer.json()["restUrl"] == caller.standin.base_url
    assert set(answer.json()) == {"serverBaseUrl", "webserviceUrl", "swaggerUrl", "restUrl", "controllerUrl"}


@pytest.mark.parametrize("headers", [{}, {"X-Carma-Authentication-Token": "wrong"}])
def test_a_missing_or_wrong_token_is_401(caller: Caller, headers: dict[str, str]) -> None:
    answer = caller.call("GET", "/apiurl", headers=headers)
    assert answer.status == 401
    assert b"token" in answer.data


def test_another_customer_is_403(caller: Caller) -> None:
    answer = urllib3.request("GET", f"{caller.standin.base_url}/999/apiurl", headers=TOKEN)
    assert answer.status == 403
    assert b"customer" in answer.data


def test_statuses_go_from_pending_to_finished_by_the_number_of_calls(caller: Caller) -> None:
    batch_id = caller.order()
    states = [caller.status(batch_id) for _ in range(4)]

    assert [state["status"].strip() for state in states] == ["PENDING", "IN_PROGRESS", "FINISHED", "FINISHED"]
    assert all(state["id"] == int(batch_id) and state["customerId"] == 0 for state in states)
    assert all(state["type"].strip() == "STAT_EXPORT" for state in states)
    assert states[0]["endTime"] == 0
    assert states[2]["endTime"] == states[2]["startTime"] == int(NOW.timestamp() * 1000)


def test_values_are_printed_with_and_without_stray_blanks(caller: Caller) -> None:
    batch_id = caller.order()
    first, second = caller.status(batch_id), caller.status(batch_id)
    assert (first["status"], first["type"]) == (" PENDING", " STAT_EXPORT")
    assert (second["status"], second["type"]) == ("IN_PROGRESS", "STAT_EXPORT")


@pytest.mark.parametrize("caller", [{"finish_after_polls": 1}], indirect=True)
def test_a_batch_may_finish_with_unequal_counters(caller: Caller) -> None:
    odd, even = caller.status(caller.order("LISTS")), caller.status(caller.order("LISTS"))
    assert (odd["affected"], odd["processed"], odd["total"]) == (12, 12, 13)
    assert (even["affected"], even["processed"], even["total"]) == (12, 12, 12)


@pytest.mark.parametrize("caller", [{"finish_after_polls": 1, "finish_after_seconds": 90}], indirect=True)
def test_a_batch_may_need_time_to_finish(caller: Caller) -> None:
    batch_id = caller.order()
    caller.status(batch_id)
    caller.clock.advance(89)
    assert caller.status(batch_id)["status"].strip() == "IN_PROGRESS"
    caller.clock.advance(1)
    assert caller.status(batch_id)["status"].strip() == "FINISHED"
    caller.clock.set(NOW)
    assert caller.status(batch_id)["status"].strip() == "FINISHED"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        b'{"exportType": "OPENED", "period": "LAST_DAY"}',
        b'{"exportType": ["OPENS"], "period": "LAST_DAY"}',
        b'{"exportType": "OPENS", "period": "LAST_MONTH"}',
        b'{"exportType": "OPENS", "period": {}}',
    ],
)
def test_an_order_that_names_no_export_type_or_period_is_400_and_no_order(caller: Caller, body: bytes) -> None:
    answer = caller.call("POST", "/batches/exports/statistics", body=body)
    assert answer.status == 400
    assert caller.standin.orders == []


@pytest.mark.parametrize("path", ["/batches/999", "/batches/999/result", "/batches/999/result/url", "/nothing"])
def test_an_unknown_batch_or_path_is_404(caller: Caller, path: str) -> None:
    assert caller.call("GET", path).status == 404


@pytest.mark.parametrize("path", ["/result", "/result/url"])
def test_an_unfinished_batch_has_no_result(caller: Caller, path: str) -> None:
    assert caller.call("GET", f"/batches/{caller.order()}{path}").status == 404


@pytest.mark.parametrize("caller", [{"finish_after_polls": 1}], indirect=True)
def test_the_link_is_plain_text_and_is_refused_as_json(caller: Caller) -> None:
    batch_id = caller.order()
    caller.status(batch_id)
    path = f"/batches/{batch_id}/result/url"

    refused = caller.call("GET", path, headers={**TOKEN, "Accept": "application/json"})
    answer = caller.call("GET", path)

    assert refused.status == 406
    assert answer.status == 200
    assert answer.headers["Content-Type"].startswith("text/plain")
    assert answer.data.decode().startswith(f"{caller.standin.files_url}/result/1234/{batch_id}_result.json?")


@pytest.mark.parametrize("caller", [{"finish_after_polls": 1}], indirect=True)
def test_the_result_redirects_to_the_same_file(caller: Caller) -> None:
    batch_id = caller.order()
    caller.status(batch_id)
    answer = caller.call("GET", f"/batches/{batch_id}/result")
    assert answer.status == 302
    assert answer.headers["Location"] == caller.call("GET", f"/batches/{batch_id}/result/url").data.decode()


@pytest.mark.parametrize("caller", [{"calls_per_minute": 1}], indirect=True)
def test_calls_beyond_the_rate_limit_are_429_and_have_no_effect(caller: Caller) -> None:
    batch_id = caller.order()
    refused = caller.call("GET", f"/batches/{batch_id}")
    assert refused.status == 429
    assert b"one request per minute" in refused.data
    assert "Retry-After" not in refused.headers

    caller.clock.advance(59)
    assert caller.call("GET", f"/batches/{batch_id}").status == 429
    caller.clock.advance(1)
    assert caller.status(batch_id)["status"] == " PENDING"
    assert caller.call("POST", "/batches/exports/statistics", json={}).status == 429


@pytest.mark.parametrize("caller", [{"calls_per_minute": 4, "minute_seconds": 2}], indirect=True)
def test_the_rate_limits_minute_can_be_shortened(caller: Caller) -> None:
    assert [caller.call("GET", "/apiurl").status for _ in range(5)] == [200] * 4 + [429]
    caller.clock.advance(0.5)
    assert [caller.call("GET", "/apiurl").status for _ in range(2)] == [200, 429]
    caller.clock.advance(3600)
    assert [caller.call("GET", "/apiurl").status for _ in range(5)] == [200] * 4 + [429]


def test_orders_and_calls_are_recorded_by_kind_and_batch(caller: Caller) -> None:
    batch_id = caller.order("CLICKS", "LAST_WEEK")
    caller.status(batch_id)
    caller.status(batch_id)
    caller.call("GET", "/apiurl", headers={})

    [order] = caller.standin.orders
    assert (order.batch_id, order.export_type, order.period, order.ordered_at) == (batch_id, "CLICKS", "LAST_WEEK", NOW)
    found = [(call.kind, call.status, call.batch_id) for call in caller.standin.calls]
    assert found == [
        ("order", 200, batch_id),
        ("status", 200, batch_id),
        ("status", 200, batch_id),
        ("account", 401, None),
    ]


def test_the_journal_is_readable_as_json_without_a_token(caller: Caller) -> None:
    batch_id = caller.order("CLICKS", "LAST_WEEK")
    caller.status(batch_id)
    url = caller.standin.base_url.removesuffix("/rest") + "/_standin/calls"

    shown = urllib3.request("GET", url).json()

    assert shown["counts"] == {"order": 1, "status": 1}
    assert shown["byBatch"] == {batch_id: {"order": 1, "status": 1}}
    assert shown["tokenOnFileHost"] == 0
    assert [order["exportType"] for order in shown["orders"]] == ["CLICKS"]
    assert len(shown["calls"]) == 2
    assert "synthetic-token" not in json.dumps(shown)


@pytest.mark.parametrize("caller", [{"finish_after_polls": 1}], indirect=True)
def test_ten_exports_run_at_once(caller: Caller) -> None:
    results: dict[str, str] = {}

    def run(export_type: str) -> None:
        batch_id = caller.order(export_type)
        results[export_type] = batch_id + caller.status(batch_id)["status"]

    threads = [threading.Thread(target=run, args=(name,)) for name in EXPORT_TYPES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(results) == sorted(EXPORT_TYPES)
    assert len(set(results.values())) == 10
    assert all(state.endswith("FINISHED") for state in results.values())


def test_an_order_takes_effect_at_the_time_of_the_clock(caller: Caller) -> None:
    caller.order("SENT", "LAST_DAY")
    caller.clock.set(NOW + timedelta(days=1))
    caller.order("SENT", "LAST_DAY")
    first, second = (order.window for order in caller.standin.orders)
    assert first.end == second.start
