import hashlib
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from local.standin import ManualClock, Options, StandIn

pytestmark = pytest.mark.enable_socket

NOW = datetime(2026, 11, 24, 3, 20, tzinfo=UTC)
TOKEN = {"X-Carma-Authentication-Token": "synthetic-token"}


class Finished:
    """A stand-in with one finished export of OPENS."""

    def __init__(self, **options: Any) -> None:
        self.clock = ManualClock(NOW)
        self.standin = StandIn(Options(**{"events_per_day": 200, "finish_after_polls": 1, **options}), self.clock)
        self._http = urllib3.PoolManager(retries=False, timeout=300)
        body = {"exportType": "OPENS", "period": "LAST_DAY"}
        self._batch = self._http.request(
            "POST", f"{self.standin.base_url}/1234/batches/exports/statistics", json=body, headers=TOKEN
        ).json()["batchId"]
        self._api(f"/batches/{self._batch}")
        self.link = self.new_link()

    def _api(self, path: str) -> urllib3.BaseHTTPResponse:
        return self._http.request("GET", f"{self.standin.base_url}/1234{path}", headers=TOKEN)

    def new_link(self) -> str:
        return self._api(f"/batches/{self._batch}/result/url").data.decode()

    def get(self, link: str = "", method: str = "GET", **headers: str) -> urllib3.BaseHTTPResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._http.request(method, link or self.link, headers=named, decode_content=False)

    def close(self) -> None:
        self._http.clear()
        self.standin.stop()


@pytest.fixture
def finished(request: pytest.FixtureRequest) -> Iterator[Finished]:
    finished = Finished(**getattr(request, "param", {}))
    yield finished
    finished.close()


def code(answer: urllib3.BaseHTTPResponse) -> str:
    assert answer.headers["Content-Type"] == "application/xml"
    return answer.data.decode().split("<Code>")[1].split("</Code>")[0]


def test_a_signed_link_gives_the_whole_file_with_length_and_etag(finished: Finished) -> None:
    answer = finished.get()
    assert answer.status == 200
    assert len(json.loads(answer.data)) > 50
    assert answer.headers["Content-Length"] == str(len(answer.data))
    assert answer.headers["ETag"] == f'"{hashlib.md5(answer.data).hexdigest()}"'
    assert "Content-Encoding" not in answer.headers


def test_a_link_carries_a_signature_in_its_query(finished: Finished) -> None:
    query = parse_qs(urlsplit(finished.link).query)
    assert set(query) == {"AWSAccessKeyId", "Expires", "Signature"}
    assert query["Expires"] == [str(int(NOW.timestamp()) + 300)]


@pytest.mark.parametrize("finished", [{"link_seconds": 60}], indirect=True)
def test_a_link_expires_and_a_new_one_does_not(finished: Finished) -> None:
    finished.clock.advance(59)
    assert finished.get().status == 200
    finished.clock.advance(1)
    expired = finished.get()
    assert (expired.status, code(expired)) == (403, "AccessDenied")
    assert b"Request has expired" in expired.data
    assert finished.get(finished.new_link()).status == 200


def test_a_changed_link_is_refused(finished: Finished) -> None:
    path, query = finished.link.split("?")
    later = query.replace(f"Expires={int(NOW.timestamp()) + 300}", f"Expires={int(NOW.timestamp()) + 900}")
    assert later != query
    for link, reason in (
        (f"{path}?{later}", "SignatureDoesNotMatch"),
        (f"{path.replace('101111', '101112')}?{query}", "SignatureDoesNotMatch"),
        (f"{path}?{query.replace('AWSAccessKeyId=', 'AWSAccessKeyId=X')}", "InvalidAccessKeyId"),
        (f"{path}?{query.replace('Signature=', 'Sig=')}", "AccessDenied"),
        (path, "AccessDenied"),
    ):
        answer = finished.get(link)
        assert (answer.status, code(answer)) == (403, reason)


@pytest.mark.parametrize("method", ["PUT", "POST", "DELETE"])
def test_a_link_allows_get_alone(finished: Finished, method: str) -> None:
    answer = finished.get(method=method)
    assert (answer.status, code(answer)) == (403, "SignatureDoesNotMatch")
    assert finished.get().status == 200


def test_a_link_does_not_allow_head(finished: Finished) -> None:
    answer = finished.get(method="HEAD")
    assert (answer.status, answer.data) == (403, b"")


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-0", slice(0, 1)),
        ("bytes=10-99", slice(10, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=5-999999999", slice(5, None)),
        ("bytes=-999999999", slice(0, None)),
    ],
)
def test_a_range_is_answered_with_that_part(finished: Finished, header: str, part: slice) -> None:
    whole = finished.get().data
    answer = finished.get(Range=header)
    assert (answer.status, answer.data) == (206, whole[part])
    start, end, _ = part.indices(len(whole))
    assert answer.headers["Content-Range"] == f"bytes {start}-{end - 1}/{len(whole)}"
    assert answer.headers["Content-Length"] == str(end - start)


@pytest.mark.parametrize("header", ["bytes=999999999-", "bytes=-0"])
def test_a_range_beyond_the_file_is_416_with_its_size(finished: Finished, header: str) -> None:
    size = len(finished.get().data)
    answer = finished.get(Range=header)
    assert (answer.status, code(answer)) == (416, "InvalidRange")
    assert answer.headers["Content-Range"] == f"bytes */{size}"


@pytest.mark.parametrize("header", ["bytes=9-5", "bytes=-", "lines=1-2", "bytes=0-1,4-5"])
def test_a_range_that_is_not_understood_is_ignored(finished: Finished, header: str) -> None:
    assert finished.get(Range=header).status == 200


def test_if_match_guards_against_a_changed_file(finished: Finished) -> None:
    etag = finished.get().headers["ETag"]
    assert finished.get(If_Match=etag, Range="bytes=1-2").status == 206
    assert finished.get(If_Match=f'"x", {etag}').status == 200
    assert finished.get(If_Match="*").status == 200
    changed = finished.get(If_Match='"x"', Range="bytes=1-2")
    assert (changed.status, code(changed)) == (412, "PreconditionFailed")


def test_the_token_is_refused_on_the_file_host_and_recorded(finished: Finished) -> None:
    answer = finished.get(x_carma_authentication_token="synthetic-token")
    assert (answer.status, code(answer)) == (400, "TokenLeak")
    assert [call.carried_token for call in finished.standin.calls if call.server == "files"] == [True]


def test_calls_of_the_file_host_are_recorded_without_the_signature(finished: Finished) -> None:
    finished.get(Range="bytes=5-")
    call = finished.standin.calls[-1]
    assert (call.server, call.kind, call.status, call.batch_id) == ("files", "file", 206, "101111")
    assert (call.range, call.carried_token) == ("bytes=5-", False)
    assert call.path == "/result/1234/101111_result.json"


@pytest.mark.parametrize(
    ("finished", "announced"),
    [({"container": "array.gz"}, None), ({"containers": {"OPENS": "ndjson+gzip"}}, "gzip")],
    indirect=["finished"],
)
def test_gzip_is_announced_or_not(finished: Finished, announced: str | None) -> None:
    answer = finished.get()
    assert answer.data.startswith(b"\x1f\x8b")
    assert answer.headers.get("Content-Encoding") == announced
