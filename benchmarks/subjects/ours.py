"""This project's load, as `load_result` runs it: every guarantee on, from raw to the published day partitions.

Files are landed batches below the folder OUT/raw; more than one are loaded after each other, into the same table.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any

from benchmarks.disk import DiskGlue, DiskS3
from lambdas.lake import engine
from lambdas.lake.storage.landing import Landing, Manifest
from lambdas.lake.storage.store import Store
from lambdas.lake.tables.catalog import Catalog
from lambdas.steps.merge_batch import Lake, MergeRequest, merge_batch

out, manifests = Path(sys.argv[1]), json.loads(sys.argv[2])
s3: Any = DiskS3(out)
glue: Any = DiskGlue(out)
settings: Any = SimpleNamespace(
    time_zone="UTC",
    nightly_period="LAST_3_DAYS",
    timestamp_time_zone="",
    quarantine_ratio=0.001,
    quarantine_minimum=10,
    identity_fields={},
    event_time={},
    unknown_time_ratio=0.01,
)
duck = engine.connect(out / "engine")
lake = Lake(s3, Landing(s3, "bucket"), Store(s3, "bucket"), Catalog(glue, "lake", "bucket"), duck)
tallies = []
for manifest in manifests:
    with TemporaryDirectory(dir=out) as folder:
        tally = merge_batch(
            MergeRequest(
                manifest=Manifest(**manifest),
                folder_name=f"run-{manifest['batch_id']}",
                lake=lake,
                settings=settings,
                work=Path(folder),
                check_lease=lambda: None,
                elapsed=lambda: 0.0,
            )
        )
        tallies.append({name: tally[name] for name in ("read", "new", "known", "updated", "rescued", "quarantined")})
live = [part["StorageDescriptor"]["Location"].removeprefix("s3://bucket/") for part in glue.partitions.values()]
print(json.dumps({"files": [str(out / prefix / "*.parquet") for prefix in live], "tallies": tallies}))
