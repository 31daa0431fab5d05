"""The records of an order in a shape, without HTTP."""

import json
from datetime import UTC, datetime
from typing import Any

from lambdas.vocabulary import Period
from local.standin import shapes
from local.standin.periods import Windows, milliseconds, window
from local.standin.shapes import Shape
from local.standin.world import World

NOW = datetime(2026, 11, 24, 3, 20, 7, 123000, tzinfo=UTC)


def texts(shape: Shape, export_type: str, now: datetime = NOW, *, period: Period = Period.LAST_3_DAYS) -> list[str]:
    return list(
        shapes.texts(
            shape,
            World(1),
            export_type,
            batch_id="101111",
            window=window(period, now, Windows.ROLLING),
            ordered_at=milliseconds(now),
            events_per_day=500,
        )
    )


def records(shape: Shape, export_type: str, now: datetime = NOW, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in texts(shape, export_type, now, **options)]
