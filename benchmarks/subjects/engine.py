"""The bare engine: JSON to zstd Parquet in one statement, with none of the guarantees. The lower bound."""

import json
import sys
from pathlib import Path

import duckdb

source, out, columns = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
engine = duckdb.connect()
engine.execute("SET threads = 2")
engine.execute("SET memory_limit = '400MB'")
engine.execute("SET preserve_insertion_order = false")
shape = "array" if ".array." in source.name else "newline_delimited"
fields = ", ".join(f"'{name}': '{kind}'" for name, kind in columns.items())
target = out / "events.parquet"
engine.execute(
    f"COPY (SELECT * FROM read_json('{source}', format='{shape}', columns={{{fields}}})) "
    f"TO '{target}' (FORMAT parquet, COMPRESSION zstd)"
)
print(json.dumps({"files": str(target)}))
