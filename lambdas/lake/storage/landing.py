"""The `raw/` side of the bucket: what the vendor sent, byte for byte, with a checksum and a manifest.

An object grows as a multipart upload, whose parts are the only checkpoint of a copy: a later call lists them.
The checksum is CRC-32: S3 keeps it for the full object and, unlike a hash, it follows from those of the parts.
"""

import json
import zlib
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws_errors import has_code
from lambdas.lake.storage import crc32, keys
from lambdas.schema_version import check_version
from lambdas.vocabulary import ExportType, export_type

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

SCHEMA_VERSION = 3
"""Of manifests."""
# The manifest's name on disk for `Manifest.md5_verified`.
_MD5_VERIFIED = "md5_holds"

# S3 allows 10,000 parts of at least 5 MiB: this size reaches 160 GB, far beyond what one function can load.
PART_BYTES = 16 << 20
SMALLEST_PART = 5 << 20
"""But for the last one."""


class Damaged(Exception):
    """S3 holds other bytes than were sent."""


@dataclass(frozen=True)
class Manifest:
    """The facts of a landed batch; written after its last byte, so its presence proves that the batch is complete."""

    export_type: str
    batch_id: str
    ordered_at: str
    period: str
    run: str
    """The execution that copied it."""
    key: str
    bytes: int
    sha256: str | None = None
    """In hexadecimal; only manifests of schema version 1 have it."""
    crc32: str | None = None
    """As S3 writes it, see `crc32.py`."""
    md5: str | None = None
    """In hexadecimal, as the source stated it; None when it did not."""
    md5_verified: bool | None = None
    """Whether the copy has compared it; a copy in several calls cannot, and then the load does."""
    schema_version: int = SCHEMA_VERSION

    @property
    def age(self) -> tuple[str, str]:
        """The batch's age, as that of a row: see `lake/rows/merge.py`."""
        return self.ordered_at, self.batch_id


@dataclass(frozen=True)
class Part:
    """An uploaded part."""

    number: int
    etag: str
    size: int
    crc32: int | None
    """A number; None for a part that S3 lists without a checksum. S3 has verified it on arrival all the same."""


@dataclass(frozen=True)
class Landed:
    """How much was copied, and its CRC-32 as S3 writes it."""

    bytes: int
    crc32: str


def read_manifest(stored: Mapping[str, Any], key: str) -> Manifest:
    """A manifest as this version or an earlier one wrote it.

    Raises:
        WrittenByNewer: a newer version wrote it.
    """
    check_version(stored.get("schema_version"), SCHEMA_VERSION, f"The manifest {key}")
    facts = dict(stored)
    verified = facts.pop(_MD5_VERIFIED, None)
    return Manifest(**facts, md5_verified=verified)


class Landing:
    """Reads and writes landed objects and their manifests."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    # Objects

    def store(self, key: str, chunks: Iterator[bytes]) -> Landed:
        """Write the chunks to one object in one call; on an error, neither the object nor an open upload remains.

        Raises:
            Damaged: S3 reports another checksum.
        """
        upload_id = self.start(key)
        try:
            parts = [self.put(key, upload_id, number, body) for number, body in enumerate(_parts(chunks), start=1)]
            return self.complete(key, upload_id, parts)
        except BaseException:
            # The first error is the one to report; `close_run` aborts what stays open.
            with suppress(ClientError, BotoCoreError):
                self.abort(key, upload_id)
            raise

    def start(self, key: str) -> str:
        """Start a multipart upload; return its id."""
        options = self._s3.create_multipart_upload(
            Bucket=self._bucket, Key=key, ChecksumAlgorithm="CRC32", ChecksumType="FULL_OBJECT"
        )
        return options["UploadId"]

    def put(self, key: str, upload_id: str, number: int, body: bytes) -> Part:
        """Upload a part, counted from 1; S3 refuses it when the checksum differs on arrival."""
        crc = zlib.crc32(body)
        done = self._s3.upload_part(
            Bucket=self._bucket,
            Key=key,
            UploadId=upload_id,
            PartNumber=number,
            Body=body,
            ChecksumCRC32=crc32.as_text(crc),
        )
        return Part(number, done["ETag"], len(body), crc)

    def parts(self, key: str, upload_id: str) -> list[Part] | None:
        """List the uploaded parts; None when the upload no longer exists."""
        pages = self._s3.get_paginator("list_parts").paginate(Bucket=self._bucket, Key=key, UploadId=upload_id)
        try:
            listed = [part for page in pages for part in page.get("Parts", [])]
        except ClientError as error:
            if has_code(error, "NoSuchUpload"):
                return None
            raise
        return [
            Part(
                part["PartNumber"],
                part["ETag"],
                part["Size"],
                # Whether S3 lists one for the parts of a full object's checksum is documented nowhere.
                crc32.from_text(part["ChecksumCRC32"]) if "ChecksumCRC32" in part else None,
            )
            for part in listed
        ]

    def complete(self, key: str, upload_id: str, parts: list[Part]) -> Landed:
        """Complete the upload.

        Raises:
            Damaged: S3 reports another checksum, or none where it has listed parts without one.
        """
        ordered = sorted(parts, key=lambda part: part.number)
        size = sum(part.size for part in ordered)
        known = [(part.crc32, part.size) for part in ordered if part.crc32 is not None]
        # Whether S3 takes a size of zero is documented nowhere.
        expected: dict[str, Any] = {"MpuObjectSize": size} if size else {}
        done = self._s3.complete_multipart_upload(
            Bucket=self._bucket,
            Key=key,
            UploadId=upload_id,
            MultipartUpload={"Parts": [_completed(part) for part in ordered]},
            **expected,
        )
        # Compared here and not by S3: a server that knows only composite checksums (`…-3`) would refuse the full
        # object's.
        reported = done.get("ChecksumCRC32", "-")
        if len(known) < len(ordered):
            # Made by S3 of parts that were each verified on arrival, and so as good as one of our own.
            if "-" in reported:
                raise Damaged(f"S3 states no checksum of {key}, and listed parts of it without one.")
            return Landed(size, reported)
        whole = crc32.as_text(crc32.combined(known))
        if reported != whole and "-" not in reported:
            raise Damaged(f"S3 holds {key} with the checksum {reported}, and {whole} was sent.")
        return Landed(size, whole)

    def abort(self, key: str, upload_id: str) -> None:
        """Abort an upload, with all of its parts."""
        self._s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)

    def abort_all(self, export: ExportType) -> None:
        """Abort every open upload of an export type; the caller holds its lease."""
        pages = self._s3.get_paginator("list_multipart_uploads").paginate(
            Bucket=self._bucket, Prefix=keys.raw_prefix(export)
        )
        for upload in [upload for page in pages for upload in page.get("Uploads", [])]:
            with suppress(self._s3.exceptions.NoSuchUpload):
                self.abort(upload["Key"], upload["UploadId"])

    # Manifests

    def write_manifest(self, manifest: Manifest) -> None:
        """Mark a batch as complete."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=keys.raw(export_type(manifest.export_type), manifest.ordered_at, manifest.batch_id).manifest,
            Body=json.dumps(_stored(manifest)).encode(),
            ContentType="application/json",
        )

    def manifest(self, export: ExportType, ordered_at: str, batch_id: str) -> Manifest | None:
        """Read a batch's manifest; None when the batch has not landed."""
        return self.manifest_at(keys.raw(export, ordered_at, batch_id).manifest)

    def manifest_at(self, key: str) -> Manifest | None:
        """Read the manifest of that key; None when it is not there."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if has_code(error, "NoSuchKey"):
                return None
            raise
        return read_manifest(json.loads(body), key)


def _completed(part: Part) -> "CompletedPartTypeDef":
    checksum: CompletedPartTypeDef = {} if part.crc32 is None else {"ChecksumCRC32": crc32.as_text(part.crc32)}
    return {"ETag": part.etag, "PartNumber": part.number, **checksum}


def _stored(manifest: Manifest) -> dict[str, Any]:
    """The manifest as it stands on disk, without what is not known."""
    facts = asdict(manifest)
    verified = facts.pop("md5_verified")
    return {name: value for name, value in {**facts, _MD5_VERIFIED: verified}.items() if value is not None}


def _parts(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Cut a stream into parts; an empty stream is one empty part, since S3 needs one."""
    held, size, first = [], 0, True
    for chunk in chunks:
        held.append(chunk)
        size += len(chunk)
        if size >= PART_BYTES:
            yield b"".join(held)
            held, size, first = [], 0, False
    if size or first:
        yield b"".join(held)
