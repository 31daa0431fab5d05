"""Records with hundreds of fields, or with keys of somebody's own as names, are profiled within the memory."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas.lake import engine
from lambdas.lake.column_types import Schema
from lambdas.lake.formats.splitting import pieces
from lambdas.lake.parsing import parse
from lambdas.lake.parsing.stager import Staged
from lambdas.lake.profile.chosen import Chosen
from lambdas.lake.profile.evidence import Scope
from lambdas.lake.profile.inference import Inference
from lambdas.lake.profile.profile import Profile
from lambdas.lake.rows.staging import Rows
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.lake.in_process_lake import lines

pytestmark = pytest.mark.no_cover

OPENS = EXPORT_TYPES["OPENS"]


def staged(records: list[dict[str, Any]], folder: Path) -> Staged:
    content = lines(records)
    rows = Rows(OPENS, Schema(), Profile(), "UTC", datetime.now(UTC), "batch")
    with engine.connect(folder) as duck:
        return parse.read(
            duck,
            lambda is_optimistic: pieces(iter([content]), OPENS, is_optimistic=is_optimistic),
            rows,
            folder / "work",
            Inference(OPENS, Chosen(), Scope("UTC")),
        )


@pytest.mark.parametrize(
    "more",
    [
        lambda number: {f"field{position}": f"v{number}" for position in range(160)},
        lambda number: {"properties": {f"k{number}-{position}": 1 for position in range(20)}},
        lambda number: {"properties": {'a"b': number, "c\\d": 1, "*": 2, "x[0]": 3, "": 4, "/~": 5, "$": 6, "e.f": 7}},
        lambda number: {f"time{position}": 1795245809123 + number for position in range(40)},
    ],
    ids=["many columns", "keys of their own", "names that no path quotes", "many times"],
)
def test_any_fields_beside_time_and_contact_change_nothing(
    tmp_path: Path, more: Callable[[int], dict[str, Any]]
) -> None:
    records = [{"contactId": f"C{n % 7}", "openTime": 1795245809123 + n * 1000, **more(n)} for n in range(510)]
    found = staged(records, tmp_path)
    assert (found.rows, found.profile.times, found.profile.identity) == (510, ("openTime",), ("contactId",))
