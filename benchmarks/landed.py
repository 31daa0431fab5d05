"""The part of a manifest that follows from a file's bytes."""

import hashlib
from pathlib import Path
from typing import Any


def facts(source: Path) -> dict[str, Any]:
    """Size and checksum, as `copy_result` writes them."""
    with source.open("rb") as file:
        return {"bytes": source.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}
