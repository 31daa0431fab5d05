"""A result file, written record by record so that the disk bounds its size and not the memory."""

import gzip
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from local.standin.containers import Container

_RECORDS_A_WRITE = 2000


class Cancelled(Exception):
    """The stand-in is stopping."""


@dataclass(frozen=True)
class ResultFile:
    """A finished file: where it is, its size in bytes as stored, and how many records are in it."""

    path: Path
    size: int
    etag: str
    """MD5 of the stored bytes in hexadecimal, between quotes as HTTP wants it."""
    records: int
    content_encoding: str | None


def write(
    path: Path, records: Iterator[str], container: Container, export_type: str, progress: Callable[[int], None]
) -> ResultFile:
    """Write records in a container. `progress` is called with the number of records written so far.

    Raises:
        Cancelled: by `progress`, to give up.
    """
    form = container.form
    count = 0
    with path.open("wb") as file, _packed(file) if container.gzip else nullcontext(file) as out:
        before = form.before.replace("%s", export_type)
        out.write(before.encode())
        while some := [form.record(record) for record in islice(records, _RECORDS_A_WRITE)]:
            text = form.between.join(some)
            out.write((form.between + text if count else text).encode())
            count += len(some)
            progress(count)
        # Newline-delimited JSON without a record is an empty file.
        out.write((form.after if count or before else "").encode())
    encoding = "gzip" if container.announced else None
    return ResultFile(path, path.stat().st_size, _etag(path), count, encoding)


def existing(path: Path) -> ResultFile:
    """A file that exists; its records are not counted."""
    return ResultFile(path, path.stat().st_size, _etag(path), 0, None)


def version(file: ResultFile, name: str | None) -> ResultFile:
    """Another version of a file, created when it is first requested; `Changed` or `CutGzip`, see `faults.py`."""
    if name is None:
        return file
    path = file.path.with_suffix(f".{name}")
    if not path.exists():
        half = path.with_suffix(f".{threading.get_ident()}")
        half.write_bytes(_VERSIONS[name](file.path.read_bytes()))
        half.replace(path)
    return replace(file, path=path, size=path.stat().st_size, etag=_etag(path))


def _without_end(content: bytes) -> bytes:
    packed = content if content.startswith(b"\x1f\x8b") else gzip.compress(content, 1, mtime=0)
    return packed[:-9]


_VERSIONS: dict[str, Callable[[bytes], bytes]] = {
    "Changed": lambda content: (
        gzip.compress(gzip.decompress(content) + b"\n", 1, mtime=0)
        if content.startswith(b"\x1f\x8b")
        else content + b"\n"
    ),
    "CutGzip": _without_end,
}


def _etag(path: Path) -> str:
    with path.open("rb") as written:
        digest = hashlib.file_digest(written, lambda: hashlib.md5(usedforsecurity=False))
    return f'"{digest.hexdigest()}"'


def _packed(file: BinaryIO) -> gzip.GzipFile:
    # Without a time and a name in its header, gzip gives the same bytes every time; level 1 is fast.
    return gzip.GzipFile(filename="", mode="wb", fileobj=file, compresslevel=1, mtime=0)
