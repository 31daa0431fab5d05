"""Objects of the bucket, copied to and from files in the work folder."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from boto3.s3.transfer import TransferConfig
from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client
    from types_boto3_s3.type_defs import ObjectIdentifierTypeDef

# Ranged and parallel in both directions: two threads keep the connection busy and the memory small.
_TRANSFER = TransferConfig(multipart_threshold=32 << 20, multipart_chunksize=16 << 20, max_concurrency=2)
_DELETE_AT_ONCE = 1000


class NotDeleted(Exception):
    """Objects that had to go are still there."""


@dataclass(frozen=True)
class StoredFile:
    """An object and the time at which it was written."""

    key: str
    written_at: datetime


class Store:
    """Reads and writes objects of one bucket."""

    def __init__(self, s3: "S3Client", bucket: str) -> None:
        self._s3 = s3
        self.bucket = bucket

    def objects(self, prefix: str, after: str = "") -> Iterator[StoredFile]:
        """List the objects below a prefix in the order of their keys, optionally only those after a key."""
        pages = self._s3.get_paginator("list_objects_v2").paginate(Bucket=self.bucket, Prefix=prefix, StartAfter=after)
        for page in pages:
            for item in page.get("Contents", []):
                yield StoredFile(item["Key"], item["LastModified"])

    def download(self, prefix: str, folder: Path) -> list[Path]:
        """Download all objects below a prefix into a folder of their own."""
        folder.mkdir(parents=True, exist_ok=True)
        paths = []
        for number, found in enumerate(self.objects(prefix)):
            path = folder / f"{number:06}.parquet"
            self._s3.download_file(self.bucket, found.key, str(path), Config=_TRANSFER)
            paths.append(path)
        return paths

    def upload(self, path: Path, key: str) -> None:
        """Upload a file to one object."""
        self._s3.upload_file(str(path), self.bucket, key, Config=_TRANSFER)

    def upload_all(self, paths: Sequence[Path], prefix: str) -> None:
        """Upload files as the only objects below a prefix: what a killed call has left there would be read as well."""
        keys = [f"{prefix}part-{number:05}.parquet" for number in range(len(paths))]
        self.delete([found.key for found in self.objects(prefix) if found.key not in keys])
        for path, key in zip(paths, keys, strict=True):
            self.upload(path, key)

    def read(self, key: str) -> bytes | None:
        """Read a small object; None when it does not exist."""
        try:
            return self._s3.get_object(Bucket=self.bucket, Key=key)["Body"].read()
        except ClientError as error:
            if has_code(error, "NoSuchKey"):
                return None
            raise

    def write(self, key: str, body: bytes, content_type: str) -> None:
        """Write a small object."""
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=body, ContentType=content_type)

    def delete(self, keys: list[str]) -> None:
        """Delete objects; the bucket's versioning keeps them for a while.

        Raises:
            NotDeleted: S3 refused some. It answers 200 all the same, and a file that stays would be read by queries.
        """
        for start in range(0, len(keys), _DELETE_AT_ONCE):
            batch: list[ObjectIdentifierTypeDef] = [{"Key": key} for key in keys[start : start + _DELETE_AT_ONCE]]
            refused = self._s3.delete_objects(Bucket=self.bucket, Delete={"Objects": batch, "Quiet": True}).get(
                "Errors"
            )
            if refused:
                key, code = refused[0].get("Key"), refused[0].get("Code")
                raise NotDeleted(f"S3 did not delete {len(refused)} of {len(batch)} objects: {key} ({code}).")

    def location(self, prefix: str) -> str:
        """A prefix as the catalog writes it."""
        return f"s3://{self.bucket}/{prefix}"

    def prefix(self, location: str) -> str:
        """A location of the catalog as a prefix."""
        return location.removeprefix(f"s3://{self.bucket}/")
