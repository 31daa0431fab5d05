"""A file in the place of a landed batch, and its manifest, as `copy_result` writes them."""

import hashlib
import json
import os
import zlib
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import Any

from benchmarks import events
from lambdas.lake.storage import keys
from lambdas.lake.storage.crc32 import as_text
from lambdas.lake.storage.landing import Manifest

_BLOCK_BYTES = 4 << 20


def landed(source: Path, out: Path, batch_id: str, ordered_at: datetime = events.ORDERED_AT) -> dict[str, Any]:
    """Link a file into `out` (nothing is copied), and return its manifest."""
    key = f"{keys.RAW}{source.name}"
    (out / keys.RAW).mkdir(exist_ok=True)
    os.link(source, out / key)
    facts = _facts(source)
    manifest = Manifest(
        export_type=events.EXPORT,
        batch_id=batch_id,
        ordered_at=ordered_at.isoformat(timespec="microseconds"),
        period="LAST_3_DAYS",
        run="benchmark",
        key=key,
        bytes=facts["bytes"],
        crc32=facts["crc32"],
        md5=facts["md5"],
        md5_verified=True,
    )
    return asdict(manifest)


def forget(source: Path) -> None:
    """Remove a file and its facts."""
    source.with_suffix(".facts").unlink(missing_ok=True)
    source.unlink()


def _facts(source: Path) -> dict[str, Any]:
    """Size and checksums, computed once per file: the copy computes them, so they are not part of the load's time."""
    kept = source.with_suffix(".facts")
    if not kept.exists():
        crc, md5 = 0, hashlib.md5(usedforsecurity=False)
        with source.open("rb") as file:
            while block := file.read(_BLOCK_BYTES):
                crc = zlib.crc32(block, crc)
                md5.update(block)
        facts = {"bytes": source.stat().st_size, "crc32": as_text(crc), "md5": md5.hexdigest()}
        kept.write_text(json.dumps(facts))
    found: dict[str, Any] = json.loads(kept.read_text())
    return found
