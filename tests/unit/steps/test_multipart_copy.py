"""Copying a result by ranges: in parallel, over several calls, from sources that change, break, or expire."""

import zlib
from collections.abc import Callable
from hashlib import md5
from typing import Any

import pytest
from urllib3.exceptions import IncompleteRead

from lambdas.lake.storage.crc32 import as_text
from lambdas.lake.storage.landing import Landing
from lambdas.ledger.ledger import Ledger
from lambdas.ledger.orders import Order
from lambdas.steps import multipart_copy as module
from lambdas.steps.multipart_copy import BEGIN_SECONDS, Copied, MultipartCopy, Partial
from lambdas.symplify.answers import RateLimited, Refused, Unavailable
from lambdas.symplify.client import Client
from lambdas.symplify.link_renewal import Remote
from lambdas.symplify.result import Broken
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import (
    BASE_URL,
    BUCKET,
    NOW,
    RESULT_HOST,
    RESULT_URL,
    TOKEN,
    Crash,
    CutBody,
    Failing,
    FakeFile,
    FakeHttp,
    make_run,
)

# The smallest part that S3 takes.
PART = 5 << 20
CONTENT = bytes(range(256)) * ((3 * PART + 1000) // 256)
KEY = "raw/opens/2026-11-24/7/result"
ORDERED_AT = NOW.isoformat(timespec="microseconds")
ENOUGH = 900.0


class Setup:
    """A finished batch at Symplify, and the lake to copy it to."""

    def __init__(self, ledger: Ledger, http: FakeHttp, s3: Any) -> None:
        self.ledger = ledger
        self.http = http
        self.s3 = s3
        self.http.file = self.file = FakeFile(CONTENT)
        ledger.write_order(make_run(), Order(ORDERED_AT, 0, "7", ORDERED_AT), "LAST_3_DAYS")

    def copy(self, remaining: Callable[[], float] = lambda: ENOUGH, s3: Any = None) -> Any:
        """Call once, with a fresh link."""
        self.http.answers(200, RESULT_URL)
        client = Client(self.http, BASE_URL, "4711", lambda: TOKEN)
        remote = Remote(client, self.http, "7", (RESULT_HOST,), allow_loopback_http=False)
        landing = Landing(s3 or self.s3, BUCKET)
        return MultipartCopy(
            remote=remote, landing=landing, ledger=self.ledger, batch_id="7", key=KEY, remaining=remaining
        ).copy()

    @property
    def stored(self) -> bytes | None:
        found = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=KEY).get("Contents", [])
        return self.s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() if found else None

    @property
    def open_uploads(self) -> int:
        return len(self.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))

    def links(self) -> int:
        return sum(path.endswith("/result/url") for path in self.http.paths)


@pytest.fixture
def setup(ledger: Ledger, http: FakeHttp, s3: Any, monkeypatch: pytest.MonkeyPatch) -> Setup:
    monkeypatch.setattr(module, "PART_BYTES", PART)
    return Setup(ledger, http, s3)


@pytest.fixture
def one_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """One part after the other, so that the remaining time is read equally often for each, at any load."""
    monkeypatch.setattr(module, "READERS", 1)


def until(calls: int) -> Callable[[], float]:
    """Remaining time that is up after so many readings, one for each chunk."""
    left = [calls]

    def remaining() -> float:
        left[0] -= 1
        return ENOUGH if left[0] >= 0 else BEGIN_SECONDS / 4

    return remaining


def is_whole(setup: Setup, result: Any, content: bytes = CONTENT) -> bool:
    assert isinstance(result, Copied)
    assert (result.landed.bytes, result.landed.crc32) == (len(content), as_text(zlib.crc32(content)))
    assert setup.open_uploads == 0
    return setup.stored == content


def test_a_file_is_copied_by_ranges_each_of_them_once(setup: Setup) -> None:
    result = setup.copy()

    assert is_whole(setup, result)
    assert (result.md5, result.md5_verified) == (md5(CONTENT, usedforsecurity=False).hexdigest(), True)
    assert len(setup.file.ranges) == len(set(setup.file.ranges)) == 4
    assert setup.links() == 1
    assert all(TOKEN not in str(call.headers) for call in setup.http.calls if RESULT_HOST in call.url)


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 2 * PART])
def test_files_of_any_length_are_copied_completely(setup: Setup, size: int) -> None:
    setup.file.content = CONTENT[:size]

    assert is_whole(setup, setup.copy(), CONTENT[:size])


@pytest.mark.usefixtures("one_reader")
def test_the_next_call_resumes_from_the_checkpoint_of_one_whose_time_was_up(setup: Setup) -> None:
    first = setup.copy(until(12))
    before = list(setup.file.ranges)

    assert isinstance(first, Partial)
    assert (setup.stored, setup.open_uploads) == (None, 1)

    second = setup.copy()

    assert is_whole(setup, second)
    assert len(setup.file.ranges) - len(before) < 4


@pytest.mark.usefixtures("one_reader")
def test_many_short_calls_complete_the_copy(setup: Setup) -> None:
    for _ in range(10):
        result = setup.copy(until(13))
        if not isinstance(result, Partial):
            break

    assert is_whole(setup, result)
    # No call has read all of the bytes, so the MD5 is not verified yet.
    assert not result.md5_verified


def test_a_call_that_copies_no_part_reports_that_the_source_is_too_slow(setup: Setup) -> None:
    with pytest.raises(Broken, match="so slow"):
        setup.copy(until(4))


@pytest.mark.parametrize("after", [False, True])
def test_the_next_call_copies_the_file_after_a_crash_at_any_s3_call(setup: Setup, after: bool) -> None:
    for method in ("create_multipart_upload", "upload_part", "complete_multipart_upload"):
        broken = Failing(setup.s3, 1 if method != "upload_part" else 2, method, after=after)
        with pytest.raises(Crash):
            setup.copy(s3=broken)
        for upload in setup.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            known = setup.ledger.upload("7")
            # `close_run` aborts an upload whose creation was not answered.
            if known is None or upload["UploadId"] != known.id:
                setup.s3.abort_multipart_upload(Bucket=BUCKET, Key=KEY, UploadId=upload["UploadId"])

        assert is_whole(setup, setup.copy())


@pytest.mark.usefixtures("one_reader")
def test_an_upload_that_was_aborted_meanwhile_is_restarted(setup: Setup) -> None:
    assert isinstance(setup.copy(until(12)), Partial)
    Landing(setup.s3, BUCKET).abort_all(EXPORT_TYPES["OPENS"])

    assert is_whole(setup, setup.copy())


class Plain(FakeFile):
    """A source without ranges."""

    def answer(self, headers: Any) -> Any:
        return super().answer({name: value for name, value in headers.items() if name != "Range"})


# A source that changes


@pytest.mark.usefixtures("one_reader")
def test_a_source_that_changed_between_two_calls_is_copied_from_the_start(setup: Setup) -> None:
    assert isinstance(setup.copy(until(12)), Partial)
    setup.file.content = changed = CONTENT[::-1] + b"\n"

    assert is_whole(setup, setup.copy(), changed)


def test_a_source_that_changes_within_a_call_is_waited_for_and_never_mixed(setup: Setup) -> None:
    class Changing(FakeFile):
        def answer(self, headers: Any) -> Any:
            answer = super().answer(headers)
            self.content = CONTENT[::-1]
            return answer

    setup.http.file = Changing(CONTENT)

    assert setup.copy() == Unavailable("The result changes while it is read.")
    assert (setup.stored, setup.open_uploads) == (None, 0)
    assert is_whole(setup, setup.copy(), CONTENT[::-1])


@pytest.mark.usefixtures("one_reader")
def test_a_source_that_no_longer_serves_ranges_is_copied_in_one_request(setup: Setup) -> None:
    assert isinstance(setup.copy(until(12)), Partial)
    setup.http.file = Plain(CONTENT)

    assert is_whole(setup, setup.copy())


def test_bytes_that_do_not_have_the_declared_md5_are_never_stored(setup: Setup) -> None:
    setup.file.etag = '"' + "0" * 32 + '"'

    with pytest.raises(Broken, match="MD5"):
        setup.copy()

    assert (setup.stored, setup.open_uploads) == (None, 0)


def test_a_source_whose_etag_is_no_md5_is_copied_unverified(setup: Setup) -> None:
    setup.file.etag = '"0123-4"'

    result = setup.copy()

    assert is_whole(setup, result)
    assert (result.md5, result.md5_verified) == (None, False)


# Transfers that break


class Troubled(FakeFile):
    """Fails on some ranges: `trouble` gets the number of the call and returns an answer, or None for the real one."""

    def __init__(self, trouble: Callable[[int], Any]) -> None:
        super().__init__(CONTENT)
        self.trouble = trouble
        self.calls = 0

    def answer(self, headers: Any) -> Any:
        self.calls += 1
        return self.trouble(self.calls) or super().answer(headers)


def cut(_: Any = None) -> Any:
    etag = FakeFile(CONTENT).answer({})[2]["ETag"]
    served = {"Content-Range": f"bytes {PART}-{2 * PART - 1}/{len(CONTENT)}", "ETag": etag}
    return 206, CutBody(CONTENT[PART : PART + 10], IncompleteRead(10, PART)), served


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_expired_link_is_replaced_within_the_call_and_no_byte_is_copied_twice(setup: Setup, number: int) -> None:
    setup.http.file = Troubled(lambda call: (403, b"", {}) if call == number else None)
    setup.http.answers(200, f"{RESULT_URL}2")

    assert is_whole(setup, setup.copy())
    assert setup.links() == 2
    assert len(setup.http.file.ranges) == 4


@pytest.mark.parametrize("trouble", [lambda: (503, b"", {}), cut])
def test_a_range_that_fails_once_is_requested_again_within_the_call(setup: Setup, trouble: Callable[[], Any]) -> None:
    setup.http.file = Troubled(lambda call: trouble() if call == 2 else None)

    assert is_whole(setup, setup.copy())
    assert setup.links() == 1


def test_a_file_host_that_stays_down_is_unavailable_and_the_next_call_resumes_the_upload(setup: Setup) -> None:
    setup.http.file = Troubled(lambda number: (503, b"", {}) if number > 1 else None)

    assert setup.copy() == Unavailable("The file host answered with status 503.")
    assert (setup.stored, setup.open_uploads) == (None, 1)

    setup.http.file = setup.file
    assert is_whole(setup, setup.copy())
    assert f"bytes=0-{PART - 1}" not in setup.file.ranges


def test_a_range_that_is_always_cut_off_is_broken(setup: Setup) -> None:
    setup.http.file = Troubled(lambda number: cut() if number > 1 else None)

    with pytest.raises(Broken):
        setup.copy()

    assert setup.stored is None


def test_a_missing_file_is_refused(setup: Setup) -> None:
    setup.http.file = Troubled(lambda number: (404, b"", {}) if number > 1 else None)

    assert isinstance(setup.copy(), Refused)
    assert setup.stored is None


def test_a_source_without_ranges_that_takes_longer_than_a_call_is_refused_with_the_reason(setup: Setup) -> None:
    setup.http.file = Plain(CONTENT)

    result = setup.copy(until(3))

    assert isinstance(result, Refused)
    assert "serves no ranges" in result.reason
    assert (setup.stored, setup.open_uploads) == (None, 0)


@pytest.mark.parametrize("answer", [429, 500])
def test_a_link_that_cannot_be_fetched_is_an_answer_and_no_exception(setup: Setup, answer: int) -> None:
    for _ in range(6):
        setup.http.answers(answer)

    assert isinstance(setup.copy(), RateLimited | Unavailable)
    assert setup.open_uploads == 0
