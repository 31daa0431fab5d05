"""Run records: one small immutable object a run, queryable as the table `export_runs`."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.lake import keys
from lambdas.lake.catalog import Catalog
from lambdas.lake.store import Store

_NUMBERS = ("bytes", "days")


def write_run_record(store: Store, catalog: Catalog, run_folder: str, record: Mapping[str, Any]) -> None:
    """Write a run's record; the columns of the table are its names."""
    columns = {name: "bigint" if name in _NUMBERS or name.startswith("rows_") else "string" for name in record}
    catalog.ensure_json_table(keys.RUNS_TABLE, "What became of each run", columns, keys.table_prefix(keys.RUNS_TABLE))
    store.write(keys.run_record(run_folder), json.dumps(dict(record)).encode() + b"\n", "application/json")
