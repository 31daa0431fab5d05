"""A landed result as a stream of its own bytes: read in ranges, unpacked when it is gzip, checked to its end."""

import gzip
import hashlib
import io
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from lambdas.aws_errors import has_code
from lambdas.lake.errors import Unloadable
from lambdas.lake.storage import crc32
from lambdas.lake.storage.landing import Manifest

if TYPE_CHECKING:
    from types_boto3_s3 import S3Client

# One ranged GET: large enough to hide the round trip, small enough to hold twice.
RANGE_BYTES = 16 << 20
LARGEST_BYTES = 5_000_000_000
"""Unpacked: the largest file whose load was measured to stay within a function's time, memory and disk."""
_GZIP_MAGIC = b"\x1f\x8b"
_BOM = b"\xef\xbb\xbf"
_READ_BYTES = 4 << 20


@dataclass(frozen=True)
class RawObject:
    """A landed result, which can be read any number of times."""

    s3: "S3Client"
    bucket: str
    manifest: Manifest

    def read(self) -> Iterator[bytes]:
        """Yield the bytes as they landed.

        Raises:
            Unloadable: the object is not what the manifest says.
        """
        checks, size = _checks(self.manifest), 0
        while size < self.manifest.bytes:
            last = min(size + RANGE_BYTES, self.manifest.bytes) - 1
            body = self._range(size, last)
            if len(body) != last - size + 1:
                raise Unloadable(f"The raw object {self.manifest.key} is gone, or shorter than its manifest says.")
            for check in checks:
                check.update(body)
            size += len(body)
            yield body
        if not all(check.holds() for check in checks):
            raise Unloadable(f"The raw object {self.manifest.key} differs from the checksum in its manifest.")

    def _range(self, first: int, last: int) -> bytes:
        try:
            answer = self.s3.get_object(Bucket=self.bucket, Key=self.manifest.key, Range=f"bytes={first}-{last}")
        except ClientError as error:
            if has_code(error, "InvalidRange", "NoSuchKey"):
                return b""
            raise
        return answer["Body"].read()


class _Hash:
    """A hash that a manifest tells."""

    def __init__(self, name: str, expected: str) -> None:
        self._hash = hashlib.new(name, usedforsecurity=False)
        self._expected = expected

    def update(self, body: bytes) -> None:
        """Go on with more bytes."""
        self._hash.update(body)

    def holds(self) -> bool:
        """Whether all bytes together have it."""
        return self._hash.hexdigest() == self._expected


class _Crc32:
    """The CRC-32 that a manifest tells."""

    def __init__(self, expected: str) -> None:
        self._crc = 0
        self._expected = expected

    def update(self, body: bytes) -> None:
        """Go on with more bytes."""
        self._crc = zlib.crc32(body, self._crc)

    def holds(self) -> bool:
        """Whether all bytes together have it."""
        return crc32.as_text(self._crc) == self._expected


def _checks(manifest: Manifest) -> list[_Hash | _Crc32]:
    """All that a manifest tells; MD5 is the source's own word, which a copy in several calls could not compute."""
    hashes = {"sha256": manifest.sha256, "md5": None if manifest.md5_holds else manifest.md5}
    checks: list[_Hash | _Crc32] = [_Hash(name, expected) for name, expected in hashes.items() if expected]
    return checks + ([_Crc32(manifest.crc32)] if manifest.crc32 else [])


def check_size(size: int) -> None:
    """Refuse what no load can take.

    Raises:
        Unloadable: so many bytes are too many.
    """
    if size > LARGEST_BYTES:
        raise Unloadable(
            f"The result holds more than {LARGEST_BYTES / 1e9:g} GB, and no load above that size is known to fit a "
            "function's time and disk, so nothing of it was loaded. It is kept in raw/. Order less at once (the "
            "setting nightlyPeriod: LAST_DAY), or load it with a larger engine: 'Where the limits lie' in "
            "docs/performance.md."
        )


def unpacked(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the content: without gzip, whether a header had announced it or not, and without a byte order mark.

    Raises:
        Unloadable: the gzip stream is cut or damaged, or holds more than a load can take.
    """
    first = b""
    for chunk in chunks:
        first += chunk
        if len(first) >= len(_BOM):
            break
    blocks: Iterator[bytes] = chain((first,), chunks)
    if first.startswith(_GZIP_MAGIC):
        blocks = _gunzipped(blocks)
    size = 0
    try:
        for block in blocks:
            content = block if size else block.removeprefix(_BOM)
            size += len(block)
            check_size(size)
            if content:
                yield content
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise Unloadable(f"The file is gzip and is cut or damaged ({error}).") from None


def _gunzipped(chunks: Iterator[bytes]) -> Iterator[bytes]:
    file = gzip.GzipFile(fileobj=io.BufferedReader(_Chunks(chunks), _READ_BYTES))
    while block := file.read(_READ_BYTES):
        yield block


class _Chunks(io.RawIOBase):
    """Chunks as a raw file, which is what gzip and buffered readers take."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        super().__init__()
        self._chunks = chunks
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, target: Any, /) -> int:
        """Fill the target whole unless the chunks end, so that a look at the first bytes sees them all."""
        into, filled = memoryview(target), 0
        while filled < len(into):
            if not self._rest:
                chunk = next(self._chunks, None)
                if chunk is None:
                    break
                self._rest = memoryview(chunk)
            taken = min(len(into) - filled, len(self._rest))
            into[filled : filled + taken] = self._rest[:taken]
            self._rest = self._rest[taken:]
            filled += taken
        return filled
