"""Landing: byte for byte, whole or not at all."""

import base64
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any

import pytest

from lambdas.lake import landing as module
from lambdas.lake.landing import Landed, Landing, Manifest
from lambdas.symplify.vocabulary import EXPORT_TYPES
from tests.unit.fakes import BUCKET, Crash, Failing

OPENS = EXPORT_TYPES["OPENS"]
KEY = "raw/opens/2026-11-24/7/result"
ORDERED_AT = "2026-11-24T03:30:00.000000+00:00"
MANIFEST = Manifest("OPENS", "7", ORDERED_AT, "LAST_3_DAYS", "arn:run", KEY, 3, "abc")


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

    assert landed == Landed(size, sha256(content).hexdigest())
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
    assert [part["ChecksumAlgorithm"] for part in parts] == ["SHA256", "SHA256"]
    assert [part["ChecksumSHA256"] for part in done["MultipartUpload"]["Parts"]] == [
        base64.b64encode(sha256(part["Body"]).digest()).decode() for part in parts
    ]


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


def test_the_first_error_is_told_when_the_clearing_up_fails_too(s3: Any) -> None:
    class Down(Failing):
        def abort_multipart_upload(self, **options: Any) -> Any:
            return s3.abort_multipart_upload(**{**options, "UploadId": "unknown"})

    with pytest.raises(Crash, match="upload_part"):
        Landing(Down(s3, 1, "upload_part"), BUCKET).store(KEY, iter([b"abc"]))


def test_a_manifest_says_all_that_is_known_of_a_batch(s3: Any) -> None:
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
        "sha256": "abc",
        "schema_version": 1,
    }


def test_a_manifest_of_another_batch_is_not_this_ones(s3: Any) -> None:
    landing = Landing(s3, BUCKET)
    landing.write_manifest(MANIFEST)

    assert landing.manifest(OPENS, ORDERED_AT, "8") is None
    assert landing.manifest(EXPORT_TYPES["CLICKS"], ORDERED_AT, "7") is None


def test_an_error_that_is_not_absence_is_not_taken_for_it(s3: Any) -> None:
    with pytest.raises(Exception, match="NoSuchBucket"):
        Landing(s3, "elsewhere").manifest(OPENS, ORDERED_AT, "7")
