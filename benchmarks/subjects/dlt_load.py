"""dlt with dictionaries, as is usual (`dicts`), or Arrow tables (`arrow`), into Parquet files in a local folder."""

import gzip
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
os.environ["RUNTIME__LOG_LEVEL"] = "ERROR"

import dlt
import pyarrow
import pyarrow.json

SOURCE, OUT, MODE = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
_BATCH = 10_000


def dicts() -> Iterator[list[dict[str, Any]]]:
    """Batches of records as dictionaries."""
    if any(container in SOURCE.name for container in (".array.", ".pretty.", ".wrapper.")):
        found = json.loads(SOURCE.read_bytes())
        records = found["records"] if isinstance(found, dict) else found
        for start in range(0, len(records), _BATCH):
            yield records[start : start + _BATCH]
        return
    batch = []
    with gzip.open(SOURCE) if ".gz." in SOURCE.name else SOURCE.open("rb") as lines:
        for line in lines:
            batch.append(json.loads(line))
            if len(batch) == _BATCH:
                yield batch
                batch = []
    yield batch


def arrow() -> Iterator[Any]:
    """Arrow tables, from a reader of newline-delimited JSON."""
    with pyarrow.json.open_json(SOURCE) as reader:
        for batch in reader:
            yield pyarrow.Table.from_batches([batch])


pipeline = dlt.pipeline(
    "bench",
    destination=dlt.destinations.filesystem(bucket_url=(OUT / "lake").as_uri()),
    dataset_name="lake",
    pipelines_dir=str(OUT / "state"),
)
pipeline.run(
    dlt.resource(dicts if MODE == "dicts" else arrow, name="events", write_disposition="append"),
    loader_file_format="parquet",
)
print(json.dumps({"files": str(OUT / "lake" / "lake" / "events" / "*.parquet")}))
