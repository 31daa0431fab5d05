"""The bucket as a folder and the Glue catalog as a file in it, for the load's own code in a benchmark.

Only the calls that the load makes are here. The transfer to and from S3 is measured separately.
"""

import json
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from botocore.exceptions import ClientError


class DiskS3:
    """An S3 client over a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def get_object(self, *, Key: str, Range: str | None = None, **_: Any) -> dict[str, Any]:  # noqa: N803
        path = self._folder / Key
        if not path.exists():
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        if Range is None:
            return {"Body": BytesIO(path.read_bytes())}
        first, last = map(int, Range.removeprefix("bytes=").split("-"))
        with path.open("rb") as file:
            file.seek(first)
            return {"Body": BytesIO(file.read(last - first + 1))}

    def put_object(self, *, Key: str, Body: bytes, **_: Any) -> None:  # noqa: N803
        self._at(Key).write_bytes(Body)

    def upload_file(self, path: str, _bucket: str, key: str, **_: Any) -> None:
        shutil.copyfile(path, self._at(key))

    def download_file(self, _bucket: str, key: str, path: str, **_: Any) -> None:
        shutil.copyfile(self._folder / key, path)

    def get_paginator(self, _name: str) -> "DiskS3":
        return self

    def paginate(self, *, Prefix: str, **_: Any) -> Iterator[dict[str, Any]]:  # noqa: N803
        found = [path for path in self._folder.rglob("*") if path.is_file()]
        keys = sorted(path.relative_to(self._folder).as_posix() for path in found)
        yield {"Contents": [{"Key": key, "LastModified": datetime.now(UTC)} for key in keys if key.startswith(Prefix)]}

    def _at(self, key: str) -> Path:
        path = self._folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        return path


class DiskGlue:
    """A Glue client that keeps tables and partitions in a file, so that a later process finds them."""

    exceptions = SimpleNamespace(EntityNotFoundException=KeyError, AlreadyExistsException=ValueError)

    def __init__(self, folder: Path) -> None:
        self._file = folder / "catalog.json"
        kept = json.loads(self._file.read_text()) if self._file.exists() else {}
        self.tables: dict[str, dict[str, Any]] = kept.get("tables", {})
        self.partitions: dict[str, dict[str, Any]] = kept.get("partitions", {})

    def get_table(self, *, Name: str, **_: Any) -> dict[str, Any]:  # noqa: N803
        if Name not in self.tables:
            raise ClientError({"Error": {"Code": "EntityNotFoundException", "Message": Name}}, "GetTable")
        return {"Table": self.tables[Name]}

    def create_table(self, *, TableInput: dict[str, Any], **_: Any) -> None:  # noqa: N803
        self.tables[TableInput["Name"]] = TableInput
        self._keep()

    update_table = create_table

    def get_paginator(self, _name: str) -> "DiskGlue":
        return self

    def paginate(self, **_: Any) -> Iterator[dict[str, Any]]:
        yield {"Partitions": list(self.partitions.values())}

    def batch_create_partition(self, *, PartitionInputList: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        self.partitions |= {partition["Values"][0]: partition for partition in PartitionInputList}
        self._keep()
        return {"Errors": []}

    def batch_update_partition(self, *, Entries: list[dict[str, Any]], **_: Any) -> dict[str, Any]:  # noqa: N803
        self.partitions |= {entry["PartitionValueList"][0]: entry["PartitionInput"] for entry in Entries}
        self._keep()
        return {"Errors": []}

    def _keep(self) -> None:
        # Written under another name first: the file may be a hard link that other repetitions share.
        half = self._file.with_suffix(".half")
        half.write_text(json.dumps({"tables": self.tables, "partitions": self.partitions}))
        half.replace(self._file)
