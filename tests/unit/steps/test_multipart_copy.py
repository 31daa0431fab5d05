"""Bringing a result by ranges: in parallel, over several calls, from sources that change, break, or give out links."""

import zlib
from collections.abc import Callable
from hashlib import md5
from typing import Any

import pytest
from urllib3.exceptions import IncompleteRead

from lambdas.lake.storage.crc32 import as_text
from lambdas.lake.storage.landing import Landing
from lambdas.ledger.ledger import Ledger, Order
from lambdas.steps import multipart_copy as module
from lambdas.steps.multipart_copy import BEGIN_SECONDS, Copied, Partial, Transfer
from lambdas.symplify.client import Client
from lambdas.symplify.outcomes import RateLimited, Refused, Unavailable
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
        self.s3 = s3
        self.http.file = self.file = FakeFile(CONTENT)
        ledger.write_order(make_run(), Order(ORDERED_AT, 0, "7", ORDERED_AT), "LAST_3_DAYS")

    def bring(self, remaining: Callable[[], float] = lambda: ENOUGH, s3: Any = None) -> Any:
        """Call once, with a fresh link to begin with."""
        self.http.answers(200, RESULT_URL)
        client = Client(self.http, BASE_URL, "4711", lambda: TOKEN)
        remote = Remote(client, self.http, "7", (RESULT_HOST,), allow_loopback_http=False)
        landing = Landing(s3 or self.s3, BUCKET)
        return Transfer(remote, landing, self.ledger, "7", KEY, remaining).bring()

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


def is_whole(world: World, brought: Any, content: bytes = CONTENT) -> bool:
    assert isinstance(brought, Copied)
    assert (brought.landed.bytes, brought.landed.crc32) == (len(content), as_text(zlib.crc32(content)))
    assert world.open_uploads == 0
    return world.stored == content


def test_a_file_comes_by_ranges_each_of_them_once(world: World) -> None:
    brought = world.bring()

    assert is_whole(world, brought)
    assert (brought.md5, brought.md5_holds) == (md5(CONTENT, usedforsecurity=False).hexdigest(), True)
    assert len(world.file.ranges) == len(set(world.file.ranges)) == 4
    assert world.links() == 1
    assert all(TOKEN not in str(call.headers) for call in world.http.calls if RESULT_HOST in call.url)


@pytest.mark.parametrize("size", [1, PART - 1, PART, PART + 1, 2 * PART])
def test_any_length_arrives_whole(world: World, size: int) -> None:
    world.file.content = CONTENT[:size]

    assert is_whole(world, world.bring(), CONTENT[:size])


@pytest.mark.usefixtures("one_reader")
def test_time_that_is_up_leaves_a_checkpoint_that_the_next_call_goes_on_from(world: World) -> None:
    first = world.bring(until(12))
    before = list(world.file.ranges)

    assert isinstance(first, Partial)
    assert (world.stored, world.open_uploads) == (None, 1)

    second = world.bring()

    assert is_whole(world, second)
    assert len(world.file.ranges) - len(before) < 4


@pytest.mark.usefixtures("one_reader")
def test_many_short_calls_end(world: World) -> None:
    for _ in range(10):
        brought = world.bring(until(13))
        if not isinstance(brought, Partial):
            break

    assert is_whole(world, brought)
    # Nobody has seen all of the bytes, so the MD5 is still to be compared.
    assert not brought.md5_holds


def test_a_call_in_which_no_part_came_says_that_the_source_is_too_slow(world: World) -> None:
    with pytest.raises(Broken, match="so slow"):
        world.bring(until(4))


@pytest.mark.parametrize("after", [False, True])
def test_whatever_call_to_s3_crashes_the_next_call_brings_the_file(world: World, after: bool) -> None:
    for method in ("create_multipart_upload", "upload_part", "complete_multipart_upload"):
        broken = Failing(world.s3, 1 if method != "upload_part" else 2, method, after=after)
        with pytest.raises(Crash):
            world.bring(s3=broken)
        for upload in world.s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []):
            known = world.ledger.upload("7")
            # One whose creation was not answered is for `close_run`, which gives up all that are open.
            if known is None or upload["UploadId"] != known.id:
                world.s3.abort_multipart_upload(Bucket=BUCKET, Key=KEY, UploadId=upload["UploadId"])

        assert is_whole(world, world.bring())


@pytest.mark.usefixtures("one_reader")
def test_an_upload_that_was_given_up_meanwhile_is_begun_anew(world: World) -> None:
    assert isinstance(world.bring(until(12)), Partial)
    Landing(world.s3, BUCKET).abort_all(EXPORT_TYPES["OPENS"])

    assert is_whole(world, world.bring())


class Plain(FakeFile):
    """A source without ranges."""

    def answer(self, headers: Any) -> Any:
        return super().answer({name: value for name, value in headers.items() if name != "Range"})


# A source that changes


@pytest.mark.usefixtures("one_reader")
def test_a_source_that_changed_between_two_calls_is_copied_anew(world: World) -> None:
    assert isinstance(world.bring(until(12)), Partial)
    world.file.content = changed = CONTENT[::-1] + b"\n"

    assert is_whole(world, world.bring(), changed)


def test_a_source_that_changes_within_a_call_is_waited_for_and_leaves_no_mixture(world: World) -> None:
    class Changing(FakeFile):
        def answer(self, headers: Any) -> Any:
            answer = super().answer(headers)
            self.content = CONTENT[::-1]
            return answer

    world.http.file = Changing(CONTENT)

    assert world.bring() == Unavailable("The result changes while it is read.")
    assert (world.stored, world.open_uploads) == (None, 0)
    assert is_whole(world, world.bring(), CONTENT[::-1])


@pytest.mark.usefixtures("one_reader")
def test_a_source_that_serves_ranges_no_more_is_copied_in_one_go(world: World) -> None:
    assert isinstance(world.bring(until(12)), Partial)
    world.http.file = Plain(CONTENT)

    assert is_whole(world, world.bring())


def test_bytes_without_the_md5_that_the_source_tells_never_land(world: World) -> None:
    world.file.etag = '"' + "0" * 32 + '"'

    with pytest.raises(Broken, match="MD5"):
        world.bring()

    assert (world.stored, world.open_uploads) == (None, 0)


def test_a_source_whose_etag_is_no_md5_is_believed(world: World) -> None:
    world.file.etag = '"0123-4"'

    brought = world.bring()

    assert is_whole(world, brought)
    assert (brought.md5, brought.md5_holds) == (None, False)


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
def test_a_link_that_expires_is_replaced_in_place_and_no_byte_comes_twice(world: World, number: int) -> None:
    world.http.file = Troubled(lambda call: (403, b"", {}) if call == number else None)
    world.http.answers(200, f"{RESULT_URL}2")

    assert is_whole(world, world.bring())
    assert world.links() == 2
    assert len(world.http.file.ranges) == 4


@pytest.mark.parametrize("trouble", [lambda: (503, b"", {}), cut])
def test_a_range_that_fails_once_is_asked_for_again_in_place(world: World, trouble: Callable[[], Any]) -> None:
    world.http.file = Troubled(lambda call: trouble() if call == 2 else None)

    assert is_whole(world, world.bring())
    assert world.links() == 1


def test_a_file_host_that_stays_down_is_told_and_the_upload_stays_open_for_the_next_call(world: World) -> None:
    world.http.file = Troubled(lambda number: (503, b"", {}) if number > 1 else None)

    assert world.bring() == Unavailable("The file host answered with status 503.")
    assert (world.stored, world.open_uploads) == (None, 1)

    world.http.file = world.file
    assert is_whole(world, world.bring())
    assert f"bytes=0-{PART - 1}" not in world.file.ranges


def test_a_range_that_is_always_cut_is_broken_and_never_a_success(world: World) -> None:
    world.http.file = Troubled(lambda number: cut() if number > 1 else None)

    with pytest.raises(Broken):
        world.bring()

    assert world.stored is None


def test_a_file_that_is_gone_is_refused(world: World) -> None:
    world.http.file = Troubled(lambda number: (404, b"", {}) if number > 1 else None)

    assert isinstance(world.bring(), Refused)
    assert world.stored is None


def test_a_source_without_ranges_that_does_not_fit_into_the_time_is_refused_with_the_reason(world: World) -> None:
    world.http.file = Plain(CONTENT)

    brought = world.bring(until(3))

    assert isinstance(brought, Refused)
    assert "serves no ranges" in brought.reason
    assert (world.stored, world.open_uploads) == (None, 0)


@pytest.mark.parametrize("answer", [429, 500])
def test_a_link_that_is_not_to_be_had_is_an_outcome(world: World, answer: int) -> None:
    for _ in range(6):
        world.http.answers(answer)

    assert isinstance(world.bring(), RateLimited | Unavailable)
    assert world.open_uploads == 0
