"""Records of OPENS, and export types."""

from typing import Any

from lambdas.vocabulary import EXPORT_TYPES

OPENS, LISTS = EXPORT_TYPES["OPENS"], EXPORT_TYPES["LISTS"]

BASE = {"timestamp": "2024-03-01T10:00:00Z"}


def opened(event_id: int, at: Any = "2024-03-01T10:00:00Z", **more: Any) -> dict[str, Any]:
    return {"eventId": event_id, "contactId": f"k{event_id}", "timestamp": at, **more}
