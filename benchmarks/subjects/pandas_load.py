"""pandas with its pyarrow reader, which takes only newline-delimited JSON."""

import json
import sys
from pathlib import Path

import pandas

source, out = Path(sys.argv[1]), Path(sys.argv[2])
frame = pandas.read_json(source, lines=True, engine="pyarrow")
target = out / "events.parquet"
frame.to_parquet(target, compression="zstd")
print(json.dumps({"files": str(target)}))
