"""What the stand-in serves for an order: the records of its export type, in the shape."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from local.standin.periods import Window
from local.standin.shapes.definition import Shape
from local.standin.shapes.reshape import Reshape, reshaper
from local.standin.shapes.sources import sample, source
from local.standin.world import World


def texts(
    shape: Shape,
    world: World,
    export_type: str,
    *,
    batch_id: str,
    window: Window,
    ordered_at: int,
    events_per_day: int,
) -> Iterator[str]:
    """The records of an order as JSON texts; those of a type that the shape does not name are left as they are."""
    export = shape.exports.get(export_type)
    name = export.source or export_type if export else export_type
    plain = source(world, name, window, ordered_at, events_per_day)
    if export is None:
        return plain
    return _reshaped(plain, reshaper(export, sample(name)), {"@orderedAt": ordered_at, "@batchId": batch_id})


def _reshaped(plain: Iterator[str], reshape: Reshape, facts: Mapping[str, Any]) -> Iterator[str]:
    for row, text in enumerate(plain, 1):
        record = reshape(msgspec.json.decode(text), {**facts, "@row": row})
        yield json.dumps(record, ensure_ascii=False, separators=(",", ":"))
