"""What a profile is decided from: records of an export, and the order that it answers."""

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import duckdb
import pytest

from lambdas.lake.errors import Undecided
from lambdas.lake.formats import json_records
from lambdas.lake.formats.json_records import Rejected
from lambdas.lake.formats.splitting import Piece
from lambdas.lake.profile.chosen import Chosen
from lambdas.lake.profile.evidence import Scope
from lambdas.lake.profile.inference import Inference
from lambdas.lake.profile.profile import Profile
from lambdas.lake.profile.window import Window, ordered_window
from lambdas.vocabulary import EXPORT_TYPES, Period

ORDERED = datetime(2026, 11, 24, 3, 30, tzinfo=UTC)
WINDOW = ordered_window(Period.LAST_3_DAYS, ORDERED)
SCOPE = Scope("Europe/Stockholm", WINDOW)
Record = Mapping[str, Any]


def decided(
    engine: duckdb.DuckDBPyConnection,
    records: Iterable[Record],
    export: str = "OPENS",
    *,
    scope: Scope = SCOPE,
    window: Window | None = None,
    **chosen: Any,
) -> Profile:
    """The profile of an export with these records."""
    piece = Piece((b",".join(json.dumps(record).encode() for record in records),), 0, is_array=True)
    found = [one for one in json_records.read(piece) if not isinstance(one, Rejected)]
    inference = Inference(EXPORT_TYPES[export], Chosen(**chosen), scope, window)
    draft = inference.draft(engine, found)
    return draft or inference.decide(engine)


def undecided(engine: duckdb.DuckDBPyConnection, records: Iterable[Record], export: str = "OPENS", **more: Any) -> str:
    """The sentence that says why it is undecided."""
    with pytest.raises(Undecided) as caught:
        decided(engine, records, export, **more)
    return str(caught.value)


def moment(number: int, **before: int) -> datetime:
    return ORDERED - timedelta(**before) - timedelta(minutes=number)


def opens(count: int = 20, **more: Any) -> list[dict[str, Any]]:
    """Events of the ordered days, each a minute before the other."""
    return [{"contactId": n, "messageId": 7, "timestamp": moment(n).isoformat(), **more} for n in range(count)]
