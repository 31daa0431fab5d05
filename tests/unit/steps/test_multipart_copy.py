"""Bringing a result by ranges: in parallel, over several calls, from sources that change, break, or give out links."""

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
from lambdas.symplify.remote import Remote
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
    ListingS3,
    make_run,
)

# The least that S3 takes for a part.
PART = 5 << 20
CONTENT = bytes(range(256)) * ((3 * PART + 1000) // 256)
KEY = "raw/opens/2026-11-24/7/result"
ORDERED_AT = NOW.isoformat(timespec="microseconds")
ENOUGH = 900.0


class World:
    """A finished batch at the vendor's, and our side."""

    def __init__(self, ledger: Ledger, http: FakeHttp, s3: Any) -> None:
        self.ledger = ledger
        self.http = http
        self.s3 = ListingS3(s3)
        self.http.file = self.file = FakeFile(CONTENT)
        ledger.write_order(make_run(), Order(ORDERED_AT, 0, "7", ORDERED_AT), "LAST_3_DAYS")

    def copy(self, remaining: Callable[[], float] = lambda: ENOUGH, s3: Any = None) -> Any:
        """Call once, with a fresh link to begin with."""
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
def world(ledger: Ledger, http: FakeHttp, s3: Any, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr(module, "PART_BYTES", PART)
    return World(ledger, http, s3)


@pytest.fixture
def one_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Parts one after the other, so that a clock is asked the same number of times for each, at any load."""
    monkeypatch.setattr(module, "READERS", 1)


def until(calls: int) -> Callable[[], float]:
    """Time that is up when it has been asked for so many times, as chunks pass."""
    left = [calls]

    def remaining() -> float:
        left[0] -= 1
        return ENOUGH if left[0] >= 0 else BEGIN_SECONDS / 4

    return remaining


def is_whole(world: World, result: Any, content: bytes = CONTENT) -> bool:
    assert isinstance(result, Copied)
    assert (result.landed.bytes, result.landed.crc32) == (len(content), as_text(zlib.crc32(content)))
    assert world.open_uploads == 0
    return world.stored == content


def test_a_file_is_copied_by_ranges_each_of_them_once(world: World) -> None:
    result = world.copy()

    assert is_whole(world, result)
    assert (result.md5, result.md5_verified) == (md5(CONTENT, usedforsecurity=False).hexdigest(), True)
    assert len(world.file.ranges) == len(set(world.file.ranges)) == 4
    assert world.links() == 1
    assert all(TOKEN not in str(call.headers) for call in world.http.calls if RESULT_HOST in call.url)


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 2 * PART])
def test_files_of_any_length_are_copied_completely(world: World, size: int) -> None:
    world.file.content = CONTENT[:size]

    assert is_whole(world, world.copy(), CONTENT[:size])


@pytest.mark.usefixtures("one_reader")
def test_the_next_call_resumes_from_the_checkpoint_of_one_whose_time_was_up(world: World) -> None:
    first = world.copy(until(12))
    before = list(world.file.ranges)

    assert isinstance(first, Partial)
    assert (world.stored, world.open_uploads) == (None, 1)

    second = world.copy()

    assert is_whole(world, second)
    assert len(world.file.ranges) - len(before) < 4


@pytest.mark.usefixtures("one_reader")
def test_many_short_calls_complete_the_copy(world: World) -> None:
    for _ in range(10):
        result = world.copy(until(13))
        if not isinstance(result, Partial):
            break

    assert is_whole(world, result)
    # Nobody has seen all of the bytes, so the MD5 is still to be compared.
    assert not result.md5_verified


def test_a_call_that_copies_no_part_reports_that_the_source_is_too_slow(world: World) -> None:
    with pytest.raises(Broken, match="so slow"):
        world.copy(until(4))


@pytest.mark.parametrize("after", [False, True])
def test_the_next_call_copies_the_file_after_a_crash_at_any_s3_call(world: World, after: bool) -> None:
    for method in ("create_multipart_upload", "upload_part", "complete_multipart_upload"):
        broken = Failing(world.s3, 1 if method != "upload_part" else 2, method, after=after)
        with pytest.raises(Crash):
            world.copy(s3=broken)
        for upload in world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            known = world.ledger.upload("7")
            # One whose creation was not answered is for `close_run`, which gives up all that are open.
            if known is None or upload["UploadId"] != known.id:
                world.s3.abort_multipart_upload(Bucket=BUCKET, Key=KEY, UploadId=upload["UploadId"])

        assert is_whole(world, world.copy())


@pytest.mark.usefixtures("one_reader")
def test_an_upload_that_was_aborted_meanwhile_is_restarted(world: World) -> None:
    assert isinstance(world.copy(until(12)), Partial)
    Landing(world.s3, BUCKET).abort_all(EXPORT_TYPES["OPENS"])

    assert is_whole(world, world.copy())


class Plain(FakeFile):
    """A source without ranges."""

    def answer(self, headers: Any) -> Any:
        return super().answer({name: value for name, value in headers.items() if name != "Range"})


# A source that changes


@pytest.mark.usefixtures("one_reader")
def test_a_source_that_changed_between_two_calls_is_copied_from_the_start(world: World) -> None:
    assert isinstance(world.copy(until(12)), Partial)
    world.file.content = changed = CONTENT[::-1] + b"\n"

    assert is_whole(world, world.copy(), changed)


def test_a_source_that_changes_within_a_call_is_waited_for_and_never_mixed(world: World) -> None:
    class Changing(FakeFile):
        def answer(self, headers: Any) -> Any:
            answer = super().answer(headers)
            self.content = CONTENT[::-1]
            return answer

    world.http.file = Changing(CONTENT)

    assert world.copy() == Unavailable("The result changes while it is read.")
    assert (world.stored, world.open_uploads) == (None, 0)
    assert is_whole(world, world.copy(), CONTENT[::-1])


@pytest.mark.usefixtures("one_reader")
def test_a_source_that_no_longer_serves_ranges_is_copied_in_one_request(world: World) -> None:
    assert isinstance(world.copy(until(12)), Partial)
    world.http.file = Plain(CONTENT)

    assert is_whole(world, world.copy())


def test_bytes_that_do_not_have_the_declared_md5_are_never_stored(world: World) -> None:
    world.file.etag = '"' + "0" * 32 + '"'

    with pytest.raises(Broken, match="MD5"):
        world.copy()

    assert (world.stored, world.open_uploads) == (None, 0)


def test_a_source_whose_etag_is_no_md5_is_copied_unverified(world: World) -> None:
    world.file.etag = '"0123-4"'

    result = world.copy()

    assert is_whole(world, result)
    assert (result.md5, result.md5_verified) == (None, False)


# What breaks on the way


class Troubled(FakeFile):
    """Answers some ranges with trouble: `trouble` is asked with the number of the call."""

    def __init__(self, trouble: Callable[[int], Any]) -> None:
        super().__init__(CONTENT)
        self.trouble = trouble
        self.calls = 0

    def answer(self, headers: Any) -> Any:
        self.calls += 1
        return self.trouble(self.calls) or super().answer(headers)


def cut(_: Any = None) -> Any:
    etag = FakeFile(CONTENT).answer({})[2]["ETag"]
    told = {"Content-Range": f"bytes {PART}-{2 * PART - 1}/{len(CONTENT)}", "ETag": etag}
    return 206, CutBody(CONTENT[PART : PART + 10], IncompleteRead(10, PART)), told


@pytest.mark.parametrize("number", [1, 2, 3, 4])
def test_an_expired_link_is_replaced_within_the_call_and_no_byte_is_copied_twice(world: World, number: int) -> None:
    world.http.file = Troubled(lambda call: (403, b"", {}) if call == number else None)
    world.http.answers(200, f"{RESULT_URL}2")

    assert is_whole(world, world.copy())
    assert world.links() == 2
    assert len(world.http.file.ranges) == 4


@pytest.mark.parametrize("trouble", [lambda: (503, b"", {}), cut])
def test_a_range_that_fails_once_is_requested_again_within_the_call(world: World, trouble: Callable[[], Any]) -> None:
    world.http.file = Troubled(lambda call: trouble() if call == 2 else None)

    assert is_whole(world, world.copy())
    assert world.links() == 1


def test_a_file_host_that_stays_down_is_unavailable_and_the_next_call_resumes_the_upload(world: World) -> None:
    world.http.file = Troubled(lambda number: (503, b"", {}) if number > 1 else None)

    assert world.copy() == Unavailable("The file host answered with status 503.")
    assert (world.stored, world.open_uploads) == (None, 1)

    world.http.file = world.file
    assert is_whole(world, world.copy())
    assert f"bytes=0-{PART - 1}" not in world.file.ranges


def test_a_range_that_is_always_cut_off_is_broken(world: World) -> None:
    world.http.file = Troubled(lambda number: cut() if number > 1 else None)

    with pytest.raises(Broken):
        world.copy()

    assert world.stored is None


def test_a_missing_file_is_refused(world: World) -> None:
    world.http.file = Troubled(lambda number: (404, b"", {}) if number > 1 else None)

    assert isinstance(world.copy(), Refused)
    assert world.stored is None


def test_a_source_without_ranges_that_takes_longer_than_a_call_is_refused_with_the_reason(world: World) -> None:
    world.http.file = Plain(CONTENT)

    result = world.copy(until(3))

    assert isinstance(result, Refused)
    assert "serves no ranges" in result.reason
    assert (world.stored, world.open_uploads) == (None, 0)


@pytest.mark.parametrize("answer", [429, 500])
def test_a_link_that_cannot_be_fetched_is_an_answer_and_no_exception(world: World, answer: int) -> None:
    for _ in range(6):
        world.http.answers(answer)

    assert isinstance(world.copy(), RateLimited | Unavailable)
    assert world.open_uploads == 0
