"""In-process fake of S3: the operations that the lake and its tests use, with checksums and conditions."""

import io
import re
import zlib
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import md5
from itertools import count
from typing import Any

from botocore.response import StreamingBody

from tests.unit.aws.failure import AwsFailure

_MIN_PART_BYTES = 5 << 20
_MAX_PARTS = 10_000


@dataclass(frozen=True)
class _Object:
    body: bytes
    etag: str
    written_at: datetime
    content_type: str
    crc32: str
    checksum_type: str = "FULL_OBJECT"


@dataclass
class _Upload:
    key: str
    id: str
    content_type: str
    algorithm: str | None
    checksum_type: str
    parts: dict[int, _Object] = field(default_factory=dict)


@dataclass
class _Bucket:
    objects: dict[str, _Object] = field(default_factory=dict)
    uploads: dict[str, _Upload] = field(default_factory=dict)


class S3:
    """Buckets with objects and open multipart uploads."""

    def __init__(self) -> None:
        self._buckets: dict[str, _Bucket] = {}
        self._upload_ids = count(1)

    def CreateBucket(self, *, Bucket: str, **_: Any) -> dict[str, Any]:
        if Bucket in self._buckets:
            raise AwsFailure("BucketAlreadyOwnedByYou", "You already own this bucket.", 409)
        self._buckets[Bucket] = _Bucket()
        return {"Location": f"http://{Bucket}.s3.amazonaws.com/"}

    # Objects

    def PutObject(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: Any = b"",
        ContentType: str = "binary/octet-stream",
        ChecksumCRC32: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        made = _object(_content(Body), ContentType, ChecksumCRC32)
        self._bucket(Bucket).objects[Key] = made
        return {"ETag": made.etag, "ChecksumCRC32": made.crc32, "ChecksumType": made.checksum_type}

    def GetObject(
        self, *, Bucket: str, Key: str, Range: str | None = None, ChecksumMode: str | None = None, **conditions: Any
    ) -> dict[str, Any]:
        found = self._object(Bucket, Key)
        _check_conditions(found, conditions)
        answer, body = _head(found, ChecksumMode if Range is None else None), found.body
        if Range is not None:
            first, last = _span(Range, len(body))
            body = body[first : last + 1]
            answer["ContentRange"] = f"bytes {first}-{first + len(body) - 1}/{len(found.body)}"
        return {**answer, "ContentLength": len(body), "Body": StreamingBody(io.BytesIO(body), len(body))}

    def HeadObject(self, *, Bucket: str, Key: str, ChecksumMode: str | None = None, **conditions: Any) -> Any:
        found = self._bucket(Bucket).objects.get(Key)
        if found is None:
            raise AwsFailure("404", "Not Found", 404)
        _check_conditions(found, conditions)
        return {**_head(found, ChecksumMode), "ContentLength": len(found.body)}

    def DeleteObject(self, *, Bucket: str, Key: str, **_: Any) -> None:
        self._bucket(Bucket).objects.pop(Key, None)

    def DeleteObjects(self, *, Bucket: str, Delete: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        keys = [item["Key"] for item in Delete["Objects"]]
        if not 1 <= len(keys) <= 1000:
            raise AwsFailure("MalformedXML", "The XML you provided was not well-formed.")
        for key in keys:
            self.DeleteObject(Bucket=Bucket, Key=key)
        return {} if Delete.get("Quiet") else {"Deleted": [{"Key": key} for key in keys]}

    def ListObjectsV2(
        self,
        *,
        Bucket: str,
        Prefix: str = "",
        StartAfter: str = "",
        ContinuationToken: str = "",
        MaxKeys: int = 1000,
        **_: Any,
    ) -> dict[str, Any]:
        objects, after = self._bucket(Bucket).objects, max(StartAfter, ContinuationToken)
        keys = sorted((key for key in objects if key.startswith(Prefix) and key > after), key=str.encode)
        page, rest = keys[:MaxKeys], keys[MaxKeys:]
        answer: dict[str, Any] = {"IsTruncated": bool(rest), "KeyCount": len(page), "Name": Bucket, "Prefix": Prefix}
        if page:
            answer["Contents"] = [
                {
                    "Key": key,
                    "LastModified": objects[key].written_at,
                    "ETag": objects[key].etag,
                    "Size": len(objects[key].body),
                    "StorageClass": "STANDARD",
                }
                for key in page
            ]
        if StartAfter:
            answer["StartAfter"] = StartAfter
        if rest:
            answer["NextContinuationToken"] = page[-1]
        return answer

    # Multipart uploads

    def CreateMultipartUpload(
        self,
        *,
        Bucket: str,
        Key: str,
        ContentType: str = "binary/octet-stream",
        ChecksumAlgorithm: str | None = None,
        ChecksumType: str = "COMPOSITE",
        **_: Any,
    ) -> dict[str, Any]:
        made = _Upload(Key, f"upload-{next(self._upload_ids)}", ContentType, ChecksumAlgorithm, ChecksumType)
        self._bucket(Bucket).uploads[made.id] = made
        return {"Bucket": Bucket, "Key": Key, "UploadId": made.id}

    def UploadPart(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumber: int,
        Body: Any = b"",
        ChecksumCRC32: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        upload, part = self._upload(Bucket, Key, UploadId), _object(_content(Body), "", ChecksumCRC32)
        if not 1 <= PartNumber <= _MAX_PARTS:
            raise AwsFailure("InvalidArgument", "Part number must be an integer between 1 and 10000, inclusive")
        upload.parts[PartNumber] = part
        return {"ETag": part.etag, **({"ChecksumCRC32": part.crc32} if upload.algorithm else {})}

    def ListParts(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        PartNumberMarker: int | str = 0,
        MaxParts: int = 1000,
        **_: Any,
    ) -> dict[str, Any]:
        upload = self._upload(Bucket, Key, UploadId)
        numbers = sorted(number for number in upload.parts if number > int(PartNumberMarker))
        page = numbers[:MaxParts]
        answer: dict[str, Any] = {"Bucket": Bucket, "Key": Key, "UploadId": UploadId}
        answer["IsTruncated"] = len(numbers) > len(page)
        if page:
            answer |= {"NextPartNumberMarker": page[-1], "Parts": [_listed(upload, number) for number in page]}
        return answer

    def CompleteMultipartUpload(
        self,
        *,
        Bucket: str,
        Key: str,
        UploadId: str,
        MultipartUpload: Mapping[str, Any] | None = None,
        MpuObjectSize: int | None = None,
        ChecksumCRC32: str | None = None,
        **_: Any,
    ) -> dict[str, Any]:
        upload = self._upload(Bucket, Key, UploadId)
        parts = _chosen(upload, (MultipartUpload or {}).get("Parts", []))
        body = b"".join(part.body for part in parts)
        if MpuObjectSize is not None and MpuObjectSize != len(body):
            raise AwsFailure("InvalidRequest", "The provided 'x-amz-mp-object-size' header does not match.")
        digests = b"".join(md5(part.body, usedforsecurity=False).digest() for part in parts)
        etag = f'"{md5(digests, usedforsecurity=False).hexdigest()}-{len(parts)}"'
        crc = _crc32(body) if upload.checksum_type == "FULL_OBJECT" else f"{_crc32(digests)}-{len(parts)}"
        if ChecksumCRC32 is not None and ChecksumCRC32 != crc:
            raise AwsFailure("BadDigest", "The CRC32 you specified did not match the calculated checksum.")
        self._bucket(Bucket).objects[Key] = _Object(body, etag, _now(), upload.content_type, crc, upload.checksum_type)
        del self._bucket(Bucket).uploads[UploadId]
        checksum = {"ChecksumCRC32": crc, "ChecksumType": upload.checksum_type} if upload.algorithm else {}
        return {"Bucket": Bucket, "Key": Key, "ETag": etag, "Location": f"http://{Bucket}/{Key}", **checksum}

    def AbortMultipartUpload(self, *, Bucket: str, Key: str, UploadId: str, **_: Any) -> None:
        self._upload(Bucket, Key, UploadId)
        del self._bucket(Bucket).uploads[UploadId]

    def ListMultipartUploads(self, *, Bucket: str, Prefix: str = "", **_: Any) -> dict[str, Any]:
        uploads = sorted(self._bucket(Bucket).uploads.values(), key=lambda upload: upload.key)
        found = [{"Key": one.key, "UploadId": one.id} for one in uploads if one.key.startswith(Prefix)]
        return {"Bucket": Bucket, "IsTruncated": False, **({"Uploads": found} if found else {})}

    # Lookups

    def _bucket(self, name: str) -> _Bucket:
        if name not in self._buckets:
            raise AwsFailure("NoSuchBucket", "The specified bucket does not exist", 404)
        return self._buckets[name]

    def _object(self, bucket: str, key: str) -> _Object:
        found = self._bucket(bucket).objects.get(key)
        if found is None:
            raise AwsFailure("NoSuchKey", "The specified key does not exist.", 404)
        return found

    def _upload(self, bucket: str, key: str, upload_id: str) -> _Upload:
        found = self._bucket(bucket).uploads.get(upload_id)
        if found is None or found.key != key:
            raise AwsFailure("NoSuchUpload", "The specified upload does not exist.", 404)
        return found


def _content(body: Any) -> bytes:
    return bytes(body.read() if hasattr(body, "read") else body.encode() if isinstance(body, str) else body)


def _object(body: bytes, content_type: str, crc: str | None) -> _Object:
    made = _Object(body, f'"{md5(body, usedforsecurity=False).hexdigest()}"', _now(), content_type, _crc32(body))
    if crc is not None and crc != made.crc32:
        raise AwsFailure("BadDigest", "The CRC32 you specified did not match the calculated checksum.")
    return made


def _crc32(body: bytes) -> str:
    return b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()


def _now() -> datetime:
    """S3 lists whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


def _head(found: _Object, checksum_mode: str | None) -> dict[str, Any]:
    answer = {
        "AcceptRanges": "bytes",
        "ETag": found.etag,
        "LastModified": found.written_at,
        "ContentType": found.content_type,
        "Metadata": {},
    }
    if checksum_mode == "ENABLED":
        answer |= {"ChecksumCRC32": found.crc32, "ChecksumType": found.checksum_type}
    return answer


def _check_conditions(found: _Object, conditions: Mapping[str, Any]) -> None:
    if conditions.get("IfMatch", found.etag).strip('"') != found.etag.strip('"'):
        raise AwsFailure("PreconditionFailed", "At least one of the pre-conditions you specified did not hold", 412)


def _span(requested: str, size: int) -> tuple[int, int]:
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", requested)
    if match is None or int(match[1]) >= size:
        raise AwsFailure("InvalidRange", "The requested range is not satisfiable", 416)
    return int(match[1]), min(int(match[2] or size), size - 1)


def _listed(upload: _Upload, number: int) -> dict[str, Any]:
    part = upload.parts[number]
    known = {"PartNumber": number, "LastModified": part.written_at, "ETag": part.etag, "Size": len(part.body)}
    return {**known, "ChecksumCRC32": part.crc32} if upload.algorithm else known


def _chosen(upload: _Upload, given: Sequence[Mapping[str, Any]]) -> list[_Object]:
    """The parts that a completion lists, validated as S3 does."""
    if not given:
        raise AwsFailure("MalformedXML", "The XML you provided was not well-formed.")
    numbers = [part["PartNumber"] for part in given]
    if numbers != sorted(set(numbers)):
        raise AwsFailure("InvalidPartOrder", "The list of parts was not in ascending order.")
    chosen = []
    for requested in given:
        part = upload.parts.get(requested["PartNumber"])
        if part is None or part.etag.strip('"') != requested["ETag"].strip('"'):
            raise AwsFailure("InvalidPart", "One or more of the specified parts could not be found.")
        if requested.get("ChecksumCRC32", part.crc32) != part.crc32:
            raise AwsFailure("InvalidPart", "A part's checksum did not match.")
        chosen.append(part)
    if any(len(part.body) < _MIN_PART_BYTES for part in chosen[:-1]):
        raise AwsFailure("EntityTooSmall", "Your proposed upload is smaller than the minimum allowed object size.")
    return chosen
