"""Landing: byte for byte, completely or not at all."""

import hashlib
import json
import zlib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lambdas.lake.errors import Unloadable
from lambdas.lake.storage import crc32
from lambdas.lake.storage import landing as module
from lambdas.lake.storage.landing import Damaged, Landed, Landing, Manifest
from lambdas.lake.storage.raw_object import RawObject
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.fakes import BUCKET, Crash, Failing

OPENS = EXPORT_TYPES["OPENS"]
KEY = "raw/opens/2026-11-24/7/result"
ORDERED_AT = "2026-11-24T03:30:00.000000+00:00"
MANIFEST = Manifest("OPENS", "7", ORDERED_AT, "LAST_3_DAYS", "arn:run", KEY, 3, crc32="AAAAAA==")


def pieces(content: bytes, size: int) -> Iterator[bytes]:
    return (content[start : start + size] for start in range(0, len(content), size))


def keys(s3: Any) -> list[str]:
    return [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])]


def open_uploads(s3: Any) -> list[Any]:
    found: list[Any] = s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads", [])
    return found


PART = module.PART_BYTES


@pytest.mark.parametrize("size", [0, 1, PART - 1, PART, PART + 1, 2 * PART])
def test_what_came_is_stored_byte_for_byte_with_its_checksum(s3: Any, size: int) -> None:
    content = (b"0123456789abcde" * (size // 15 + 1))[:size]

    landed = Landing(s3, BUCKET).store(KEY, pieces(content, 1 << 20))

    assert landed == Landed(size, crc32.as_text(zlib.crc32(content)))
    assert s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read() == content
    assert open_uploads(s3) == []


@pytest.mark.parametrize("chunks", [[], [b""], [b"", b"a", b"", b"b", b""], [b"x" * PART, b""]])
def test_empty_chunks_make_no_parts_of_their_own(s3: Any, chunks: list[bytes]) -> None:
    counted = Failing(s3, method="upload_part")

    landed = Landing(counted, BUCKET).store(KEY, iter(chunks))

    assert counted.count == 1
    assert landed.bytes == len(b"".join(chunks))


def test_every_part_carries_the_checksum_of_what_was_sent(s3: Any) -> None:
    sent: list[dict[str, Any]] = []

    class Noting(Failing):
        def upload_part(self, **options: Any) -> Any:
            sent.append(options)
            return s3.upload_part(**options)

        def complete_multipart_upload(self, **options: Any) -> Any:
            sent.append(options)
            return s3.complete_multipart_upload(**options)

    content = b"x" * (PART + 5)
    Landing(Noting(s3), BUCKET).store(KEY, pieces(content, 1 << 20))

    *parts, done = sent
    assert [part["ChecksumCRC32"] for part in parts] == [crc32.as_text(zlib.crc32(part["Body"])) for part in parts]
    assert [part["ChecksumCRC32"] for part in done["MultipartUpload"]["Parts"]] == [
        part["ChecksumCRC32"] for part in parts
    ]
    assert done["MpuObjectSize"] == len(content)


@pytest.mark.parametrize(("told", "is_damaged"), [("AAAAAA==", True), ("AAAAAA==-2", False), (None, False)])
def test_another_checksum_than_that_of_the_sent_bytes_is_damage(s3: Any, told: str, is_damaged: bool) -> None:
    class Telling(Failing):
        def complete_multipart_upload(self, **options: Any) -> Any:
            return {**s3.complete_multipart_upload(**options), **({"ChecksumCRC32": told} if told else {})}

    landing = Landing(Telling(s3), BUCKET)
    if is_damaged:
        with pytest.raises(Damaged):
            landing.store(KEY, iter([b"abc"]))
    else:
        assert landing.store(KEY, iter([b"abc"])).bytes == 3


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_the_checksum_of_an_object_follows_from_those_of_its_parts(parts: list[bytes]) -> None:
    whole = crc32.combined((zlib.crc32(part), len(part)) for part in parts)

    assert whole == zlib.crc32(b"".join(parts))
    assert crc32.from_text(crc32.as_text(whole)) == whole


# Uploads that are resumed


def test_parts_are_listed_with_their_checksums_until_the_upload_is_gone(s3: Any) -> None:
    landing = Landing(s3, BUCKET)
    upload_id = landing.start(KEY)
    put = [landing.put(KEY, upload_id, number, body) for number, body in ((1, b"x" * PART), (2, b"yz"))]

    assert landing.parts(KEY, upload_id) == put
    assert landing.complete(KEY, upload_id, put[::-1]) == Landed(
        PART + 2, crc32.as_text(zlib.crc32(b"x" * PART + b"yz"))
    )
    assert landing.parts(KEY, upload_id) is None


class Listing(Failing):
    """An S3 that lists parts without checksums, which no document excludes for the checksum of a full object."""

    def __init__(self, s3: Any, completed: dict[str, str] | None = None) -> None:
        super().__init__(s3)
        self.completions: list[dict[str, Any]] = []
        self._completed = completed

    def get_paginator(self, name: str) -> Any:
        pages = list(self._target.get_paginator(name).paginate(Bucket=BUCKET, Key=KEY, UploadId="upload-1"))
        for part in (part for page in pages for part in page.get("Parts", [])):
            del part["ChecksumCRC32"]
        return Pages(pages)

    def complete_multipart_upload(self, **options: Any) -> Any:
        self.completions.append(options)
        done = self._target.complete_multipart_upload(**options)
        if self._completed is None:
            return done
        return {name: value for name, value in done.items() if "Checksum" not in name} | self._completed


class Pages:
    """Pages of a listing."""

    def __init__(self, pages: list[Any]) -> None:
        self._pages = pages

    def paginate(self, **_: Any) -> list[Any]:
        return self._pages


def test_parts_that_are_listed_without_checksums_count_and_the_object_has_the_checksum_that_s3_states(s3: Any) -> None:
    body = b"x" * PART
    listing = Listing(s3)
    landing = Landing(listing, BUCKET)
    upload_id = landing.start(KEY)
    landing.put(KEY, upload_id, 1, body)
    listed = landing.parts(KEY, upload_id)
    assert listed is not None

    landed = landing.complete(KEY, upload_id, [*listed, landing.put(KEY, upload_id, 2, b"yz")])

    assert landed == Landed(PART + 2, crc32.as_text(zlib.crc32(body + b"yz")))
    first, second = listing.completions[0]["MultipartUpload"]["Parts"]
    assert ("ChecksumCRC32" in first, "ChecksumCRC32" in second) == (False, True)


@pytest.mark.parametrize("completed", [{}, {"ChecksumCRC32": "AAAAAA==-2"}])
def test_without_any_checksum_of_the_whole_the_object_is_taken_for_damaged(s3: Any, completed: dict[str, str]) -> None:
    landing = Landing(Listing(s3, completed), BUCKET)
    upload_id = landing.start(KEY)
    landing.put(KEY, upload_id, 1, b"abc")

    with pytest.raises(Damaged, match="states no checksum"):
        landing.complete(KEY, upload_id, landing.parts(KEY, upload_id) or [])


@pytest.mark.parametrize(("content", "size"), [(b"", None), (b"abc", 3)])
def test_the_size_of_an_object_is_sent_unless_it_is_zero(s3: Any, content: bytes, size: int | None) -> None:
    listing = Listing(s3)

    assert Landing(listing, BUCKET).store(KEY, iter([content])).bytes == len(content)

    assert [done.get("MpuObjectSize") for done in listing.completions] == [size]


def test_all_uploads_of_one_type_are_aborted_and_no_others(s3: Any) -> None:
    landing = Landing(s3, BUCKET)
    for key in (KEY, KEY, KEY.replace("opens", "clicks")):
        landing.start(key)

    landing.abort_all(OPENS)

    assert [upload["Key"] for upload in open_uploads(s3)] == [KEY.replace("opens", "clicks")]


def test_a_source_that_breaks_leaves_neither_object_nor_open_upload(s3: Any) -> None:
    def broken() -> Iterator[bytes]:
        yield b"x" * PART
        raise Crash("the source broke")

    with pytest.raises(Crash):
        Landing(s3, BUCKET).store(KEY, broken())

    assert keys(s3) == []
    assert open_uploads(s3) == []


@pytest.mark.parametrize("method", ["create_multipart_upload", "upload_part", "complete_multipart_upload"])
def test_a_call_that_fails_leaves_neither_object_nor_open_upload(s3: Any, method: str) -> None:
    with pytest.raises(Crash, match=method):
        Landing(Failing(s3, 1, method), BUCKET).store(KEY, iter([b"abc"]))

    assert keys(s3) == []
    assert open_uploads(s3) == []


def test_the_first_error_is_raised_when_the_clean_up_fails_too(s3: Any) -> None:
    class Down(Failing):
        def abort_multipart_upload(self, **options: Any) -> Any:
            return s3.abort_multipart_upload(**{**options, "UploadId": "unknown"})

    with pytest.raises(Crash, match="upload_part"):
        Landing(Down(s3, 1, "upload_part"), BUCKET).store(KEY, iter([b"abc"]))


def test_a_manifest_has_all_that_is_known_of_a_batch(s3: Any) -> None:
    landing = Landing(s3, BUCKET)
    assert landing.manifest(OPENS, ORDERED_AT, "7") is None

    landing.write_manifest(MANIFEST)

    assert landing.manifest(OPENS, ORDERED_AT, "7") == MANIFEST
    body = s3.get_object(Bucket=BUCKET, Key="raw/opens/2026-11-24/7/manifest.json")["Body"].read()
    assert json.loads(body) == {
        "export_type": "OPENS",
        "batch_id": "7",
        "ordered_at": ORDERED_AT,
        "period": "LAST_3_DAYS",
        "run": "arn:run",
        "key": KEY,
        "bytes": 3,
        "crc32": "AAAAAA==",
        "schema_version": 3,
    }


def test_a_manifest_of_the_first_schema_is_read_too(s3: Any) -> None:
    old = {
        "export_type": "OPENS",
        "batch_id": "7",
        "ordered_at": ORDERED_AT,
        "period": "LAST_3_DAYS",
        "run": "arn:run",
        "key": KEY,
        "bytes": 3,
        "sha256": "abc",
        "schema_version": 1,
    }
    s3.put_object(Bucket=BUCKET, Key="raw/opens/2026-11-24/7/manifest.json", Body=json.dumps(old).encode())

    manifest = Landing(s3, BUCKET).manifest(OPENS, ORDERED_AT, "7")

    assert manifest is not None
    assert (manifest.sha256, manifest.crc32, manifest.schema_version) == ("abc", None, 1)


def test_a_manifest_of_another_batch_is_not_this_ones(s3: Any) -> None:
    landing = Landing(s3, BUCKET)
    landing.write_manifest(MANIFEST)

    assert landing.manifest(OPENS, ORDERED_AT, "8") is None
    assert landing.manifest(EXPORT_TYPES["CLICKS"], ORDERED_AT, "7") is None


def test_other_errors_are_not_taken_for_a_missing_manifest(s3: Any) -> None:
    with pytest.raises(Exception, match="NoSuchBucket"):
        Landing(s3, "elsewhere").manifest(OPENS, ORDERED_AT, "7")


# What the load reads back


@pytest.mark.parametrize(
    ("told", "is_good"),
    [
        ({"crc32": crc32.as_text(zlib.crc32(b"abc"))}, True),
        ({"crc32": crc32.as_text(zlib.crc32(b"abc")), "md5": hashlib.md5(b"abc").hexdigest()}, True),
        ({"sha256": hashlib.sha256(b"abc").hexdigest()}, True),
        ({"crc32": "AAAAAA=="}, False),
        ({"crc32": crc32.as_text(zlib.crc32(b"abc")), "md5": "0" * 32}, False),
        ({"sha256": "0" * 64}, False),
        # The copy has compared it, so reading does not take the time again.
        ({"crc32": crc32.as_text(zlib.crc32(b"abc")), "md5": "0" * 32, "md5_verified": True}, True),
    ],
)
def test_a_raw_object_is_read_only_with_every_checksum_of_its_manifest(s3: Any, told: Any, is_good: bool) -> None:
    Landing(s3, BUCKET).store(KEY, iter([b"abc"]))
    raw = RawObject(s3, BUCKET, Manifest("OPENS", "7", ORDERED_AT, "LAST_3_DAYS", "arn:run", KEY, 3, **told))

    if is_good:
        assert b"".join(raw.read()) == b"abc"
    else:
        with pytest.raises(Unloadable, match="checksum"):
            list(raw.read())
