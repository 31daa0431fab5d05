"""Fakes: a scripted urllib3, an S3 that lists checksums, failing collaborators, settings and runs."""

import io
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import md5
from typing import TYPE_CHECKING, Any

import urllib3
from urllib3.connectionpool import HTTPConnectionPool

from lambdas.execution import Execution
from lambdas.settings import Settings
from lambdas.vocabulary import EXPORT_TYPES

BUCKET = "lake"
BASE_URL = "https://eu-proxy-1.example.com/rest"
TOKEN = "tok-3fA9/xyz+secret"
ORDER_PATH = "/rest/4711/batches/exports/statistics"
RESULT_HOST = "carma-filetransfer.s3-eu-west-1.amazonaws.com"
RESULT_URL = f"https://{RESULT_HOST}/result/1/101111_result.json?Expires=1&Signature=s3cr3t"
if TYPE_CHECKING:
    StandIn = Any
    """Accepted as any collaborator: what it does not define, the object behind it does."""
else:
    StandIn = object

NOW = datetime(2026, 11, 24, 3, 30, 0, tzinfo=UTC)  # a Tuesday


@dataclass(frozen=True)
class Call:
    """A request as it would have been sent."""

    method: str
    url: str
    headers: Mapping[str, str]
    body: bytes | None

    @property
    def path(self) -> str:
        """The path without the query."""
        return urllib3.util.parse_url(self.url).path or ""


class Clock:
    """Replaces `time` where urllib3 pauses between its tries."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        """Record the pause."""
        self.slept.append(seconds)

    def time(self) -> float:
        """The real time."""
        return time.time()


class FakeHttp(urllib3.PoolManager):
    """The real PoolManager (its retries, redirects and parsing) over a connection that gives scripted answers."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Call] = []
        self.clock = Clock()
        self.file: FakeFile | None = None
        """The file that the file host serves, instead of scripted answers."""
        self._script: deque[Callable[..., urllib3.HTTPResponse]] = deque()

    def answers(self, status: int = 200, body: Any = b"", headers: Mapping[str, str] | None = None) -> "FakeHttp":
        """Script the next answer; `body` is text, bytes, or a readable that may fail."""
        self._script.append(_answer(status, body, headers))
        return self

    def fails(self, error: Exception) -> "FakeHttp":
        """Script an error instead of the next answer."""

        def give(method: str, url: str, options: Mapping[str, Any]) -> urllib3.HTTPResponse:
            raise error

        self._script.append(give)
        return self

    @property
    def paths(self) -> list[str]:
        """The requested paths, in order."""
        return [call.path for call in self.calls]

    @property
    def unused(self) -> int:
        """How many scripted answers were not used."""
        return len(self._script)

    def _new_pool(self, scheme: str, host: str, port: int, request_context: Any = None) -> HTTPConnectionPool:
        return _Connection(self, scheme, host, port)

    def take(self, call: Call, options: Mapping[str, Any]) -> urllib3.HTTPResponse:
        """Answer a call from the script."""
        self.calls.append(call)
        if self.file is not None and urllib3.util.parse_url(call.url).host == RESULT_HOST:
            return _answer(*self.file.answer(call.headers))(call.method, call.url, options)
        if not self._script:
            raise AssertionError(f"No answer is scripted for {call.method} {call.url}")
        return self._script.popleft()(call.method, call.url, options)


def _answer(status: int, body: Any, headers: Mapping[str, str] | None) -> Callable[..., urllib3.HTTPResponse]:
    raw = body.encode() if isinstance(body, str) else body
    length = {"Content-Length": str(len(raw))} if isinstance(raw, bytes) else {}

    def give(method: str, url: str, options: Mapping[str, Any]) -> urllib3.HTTPResponse:
        return urllib3.HTTPResponse(
            body=io.BytesIO(raw) if isinstance(raw, bytes) else raw,
            headers={**length, **(headers or {})},
            status=status,
            preload_content=False,
            decode_content=options["decode_content"],
            enforce_content_length=True,
            request_method=method,
            request_url=url,
            retries=options["retries"],
        )

    return give


class _Connection(HTTPConnectionPool):
    def __init__(self, owner: FakeHttp, scheme: str, host: str, port: int) -> None:
        super().__init__(host, port)
        self.scheme = scheme
        self._owner = owner

    def _make_request(  # type: ignore[override]
        self, conn: Any, method: str, url: str, **options: Any
    ) -> urllib3.HTTPResponse:
        address = f"{self.scheme}://{self.host}:{self.port}{url}"
        return self._owner.take(Call(method, address, dict(options["headers"]), options.get("body")), options)


class FakeFile:
    """A file as S3 serves it: ranges, If-Match, a strong ETag that is its MD5 unless another one is given."""

    def __init__(self, content: bytes, etag: str | None = None) -> None:
        self.content = content
        self.etag = etag
        self.ranges: list[str] = []

    def answer(self, headers: Mapping[str, str]) -> tuple[int, bytes, Mapping[str, str]]:
        """Status, body and headers."""
        etag = self.etag or f'"{md5(self.content, usedforsecurity=False).hexdigest()}"'
        if headers.get("If-Match", etag) != etag:
            return 412, b"", {}
        requested = headers.get("Range")
        if requested is None:
            return 200, self.content, {"ETag": etag}
        self.ranges.append(requested)
        first, last = (int(part) for part in requested.removeprefix("bytes=").split("-"))
        if first >= len(self.content):
            return 416, b"", {"Content-Range": f"bytes */{len(self.content)}"}
        body = self.content[first : last + 1]
        served = f"bytes {first}-{first + len(body) - 1}/{len(self.content)}"
        return 206, body, {"Content-Range": served, "ETag": etag}


class CutBody(io.RawIOBase):
    """A body whose connection breaks after its bytes."""

    def __init__(self, content: bytes, error: Exception) -> None:
        super().__init__()
        self._content = io.BytesIO(content)
        self._error = error

    def read(self, size: int = -1, /) -> bytes:
        """Read, and break at the end."""
        data = self._content.read(size)
        if not data:
            raise self._error
        return data


class Failing(StandIn):  # type: ignore[misc]
    """Wraps an object and raises at one call: `at` counts from 1 over all methods, or over `method` alone.

    With `after` the call happens first, as when its answer is lost.
    """

    def __init__(self, target: Any, at: int | None = None, method: str | None = None, *, after: bool = False) -> None:
        self._target, self._at, self._method, self._after = target, at, method, after
        self.count = 0

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._target, name)
        if not callable(found) or (self._method is not None and name != self._method):
            return found

        def call(*args: Any, **options: Any) -> Any:
            self.count += 1
            if self.count != self._at:
                return found(*args, **options)
            if self._after:
                with suppress(Exception):
                    found(*args, **options)
            raise Crash(f"{name} crashed")

        return call


class Crash(Exception):
    """Raised by a failing collaborator."""


def make_settings(**changes: Any) -> Settings:
    """Settings like those of a fresh deployment, with changes."""
    plain = Settings(
        base_url=BASE_URL,
        customer_id="4711",
        token_secret_arn="arn:aws:secretsmanager:eu-west-1:1:secret:token",
        bucket=BUCKET,
        database="lake",
        ledger_table="ledger",
        time_zone="UTC",
        nightly_period="LAST_3_DAYS",
        sweep_weekday="SUNDAY",
        result_hosts=(RESULT_HOST,),
        allow_loopback_http=False,
        calls_per_minute=0,
        poll_first_seconds=30,
        poll_max_seconds=300,
        run_deadline_minutes=360,
        order_grace_seconds=900,
        order_attempts=2,
        lease_wait_seconds=3600,
        longest_function_seconds=900,
        superseded_retention_hours=24,
        stack_name="lake",
        state_machine_arn="arn:aws:states:eu-west-1:1:stateMachine:lake",
        alert_topic_arn="arn:aws:sns:eu-west-1:1:lake-alerts",
        watched_exports=tuple(EXPORT_TYPES),
        nightly_summary=False,
        contact_engagement=False,
        machine_click_seconds=1,
        quarantine_ratio=0.001,
        quarantine_minimum=10,
        identity_fields={},
        event_time={},
        timestamp_time_zone="",
        unknown_time_ratio=0.01,
        batch_statuses={},
    )
    return replace(plain, **changes)


def make_run(name: str = "run-a", started_at: datetime = NOW) -> Execution:
    """A run."""
    return Execution(f"arn:aws:states:eu-west-1:1:execution:lake:{name}", started_at)


def ago(**length: float) -> datetime:
    """A time before `NOW`."""
    return NOW - timedelta(**length)
