"""Landing: what the vendor sent, kept byte for byte in `raw/` with its checksum and a manifest."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.lake import keys
from lambdas.symplify.vocabulary import ExportType, export_type

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import CompletedPartTypeDef

SCHEMA_VERSION = 1

# S3 allows 10,000 parts of at least 5 MiB: this size reaches 160 GB, far beyond what one function can load.
PART_BYTES = 16 << 20


@dataclass(frozen=True)
class Manifest:
    """What is known of a landed batch; written after its last byte, so its presence says that the batch is whole."""

    export_type: str
    batch_id: str
    ordered_at: str
    period: str
    run: str
    """The execution that copied it."""
    key: str
    bytes: int
    sha256: str
    schema_version: int = SCHEMA_VERSION


@dataclass(frozen=True)
class Landed:
    """How much was copied, and its checksum."""

    bytes: int
    sha256: str


class Landing:
    """The `raw/` side of the bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self._bucket = bucket

    def store(self, key: str, chunks: Iterator[bytes]) -> Landed:
        """Write the chunks to one object; an error of theirs leaves neither object nor open upload."""
        upload_id = self._s3.create_multipart_upload(Bucket=self._bucket, Key=key, ChecksumAlgorithm="SHA256")[
            "UploadId"
        ]
        digest, size = sha256(), 0
        parts: list[CompletedPartTypeDef] = []
        try:
            for number, part in enumerate(_parts(chunks), start=1):
                digest.update(part)
                size += len(part)
                done = self._s3.upload_part(
                    Bucket=self._bucket,
                    Key=key,
                    UploadId=upload_id,
                    PartNumber=number,
                    Body=part,
                    ChecksumAlgorithm="SHA256",
                )
                parts.append({"ETag": done["ETag"], "PartNumber": number, "ChecksumSHA256": done["ChecksumSHA256"]})
            self._s3.complete_multipart_upload(
                Bucket=self._bucket, Key=key, UploadId=upload_id, MultipartUpload={"Parts": parts}
            )
        except BaseException:
            # The first error is the one to tell; what stays open then is the lifecycle rule's to clear.
            with suppress(ClientError, BotoCoreError):
                self._s3.abort_multipart_upload(Bucket=self._bucket, Key=key, UploadId=upload_id)
            raise
        return Landed(size, digest.hexdigest())

    def write_manifest(self, manifest: Manifest) -> None:
        """Say that a batch is whole."""
        self._s3.put_object(
            Bucket=self._bucket,
            Key=keys.raw(export_type(manifest.export_type), manifest.ordered_at, manifest.batch_id).manifest,
            Body=json.dumps(asdict(manifest), indent=1).encode(),
            ContentType="application/json",
        )

    def manifest(self, export: ExportType, ordered_at: str, batch_id: str) -> Manifest | None:
        """Read a batch's manifest; None when it has not landed."""
        return self.manifest_at(keys.raw(export, ordered_at, batch_id).manifest)

    def manifest_at(self, key: str) -> Manifest | None:
        """Read the manifest of that key; None when it is not there."""
        try:
            body = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") == "NoSuchKey":
                return None
            raise
        return Manifest(**json.loads(body))


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
