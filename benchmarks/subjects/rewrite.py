"""The bare engine reads Parquet files and writes their rows again: the lower bound of a merge."""

import json
import sys
from pathlib import Path

import duckdb

out, files = Path(sys.argv[1]), sys.argv[2:]
engine = duckdb.connect()
engine.execute("SET threads = 2")
engine.execute("SET memory_limit = '400MB'")
engine.execute("SET preserve_insertion_order = false")
target = out / "rewritten.parquet"
engine.execute(f"COPY (SELECT * FROM read_parquet({files!r})) TO '{target}' (FORMAT parquet, COMPRESSION zstd)")
print(json.dumps({"files": str(target)}))
