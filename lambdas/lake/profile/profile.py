"""The profile of a table: what it takes an export's fields for. It stands in the table's parameters, versioned."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from lambdas.lake.profile import field_names
from lambdas.schema_version import check_version
from lambdas.vocabulary import TimeFormat

SCHEMA_VERSION = 1
"""Of profiles."""


class IdentityKind(StrEnum):
    """What tells a record from others."""

    KEY = "key"
    """An entity's key: one row for each value, the newest."""
    FIELDS = "fields"
    """An event's instant with the fields that say who and what."""
    NONE = "none"
    """No such fields: an event's instant with all of its fields."""


@dataclass(frozen=True)
class EventTime:
    """The field that has the time of the event."""

    field: str
    """A field's name, or the path of names into objects, joined by dots."""
    format: TimeFormat
    time_zone: str
    """Of texts without an offset."""
    is_date: bool = False
    """Whether its values are dates alone, so that many events share an instant."""


@dataclass(frozen=True)
class Profile:
    """The roles of an export's fields."""

    event_time: tuple[EventTime, ...] = ()
    """The first that has a usable time is that of the event; empty for an entity, whose table has no days."""
    identity: tuple[str, ...] = ()
    """Fields, or paths; without them, all of a record's fields identify it."""
    roles: Mapping[str, str] = field(default_factory=dict)
    """Fields, or paths, by role: who (`contact`, `recipient`, `address`), what (`message` …), `key`, `link`."""
    is_settled: bool = False
    """Whether an overlap of two exports has confirmed it."""

    @property
    def has_days(self) -> bool:
        """Whether the table is partitioned by the day of the event."""
        return bool(self.event_time)

    @property
    def kind(self) -> IdentityKind:
        """What tells a record from others."""
        if not self.identity:
            return IdentityKind.NONE
        return IdentityKind.FIELDS if self.has_days else IdentityKind.KEY

    @property
    def is_key(self) -> bool:
        """Whether the identity is an entity's key."""
        return self.kind is IdentityKind.KEY

    def is_id(self, source: str) -> bool:
        """Whether a field is in the role of an id, and so is stored as text in every table: `7` is `"7"`."""
        return source in self.identity or source in self.roles.values() or field_names.is_role_id(source)

    def __str__(self) -> str:
        """The profile in words, for people."""
        times = " or ".join(
            f"{one.field} ({one.format.value}, {one.time_zone} where no offset is given)" for one in self.event_time
        )
        known_by = " with ".join(self.identity) or "all of their fields"
        dates = (
            "; the times are dates alone: where events of one day share these fields, a field that tells them apart "
            "belongs into the setting identityFields"
            if any(one.is_date for one in self.event_time)
            else ""
        )
        return f"{f'the time of an event is {times}; ' if times else ''}records are identified by {known_by}{dates}"

    @property
    def times(self) -> tuple[str, ...]:
        """The fields of the event's time."""
        return tuple(one.field for one in self.event_time)


def to_json(profile: Profile) -> dict[str, Any]:
    """The profile as a table's parameter holds it."""
    return {
        "version": SCHEMA_VERSION,
        "eventTime": [
            {"field": one.field, "format": one.format.value, "timeZone": one.time_zone, "isDate": one.is_date}
            for one in profile.event_time
        ],
        "identity": list(profile.identity),
        "roles": dict(profile.roles),
        "state": "settled" if profile.is_settled else "provisional",
    }


def from_json(stored: Mapping[str, Any], where: str) -> Profile:
    """Read a profile; `where` names its place in the error.

    Raises:
        WrittenByNewer: a newer version of this stack wrote it.
    """
    check_version(stored["version"], SCHEMA_VERSION, f"The profile of {where}")
    times: Sequence[Mapping[str, Any]] = stored["eventTime"]
    return Profile(
        event_time=tuple(
            EventTime(one["field"], TimeFormat(one["format"]), one["timeZone"], one.get("isDate", False))
            for one in times
        ),
        identity=tuple(stored["identity"]),
        roles=dict(stored["roles"]),
        is_settled=stored["state"] == "settled",
    )
