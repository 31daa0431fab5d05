"""What the views read: columns of the event tables by the roles of the tables' profiles."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lambdas.lake.column_types import Kind
from lambdas.lake.profile import field_names
from lambdas.lake.profile.field_names import WHO, Role
from lambdas.lake.sql import name as quoted
from lambdas.lake.sql import text as literal
from lambdas.lake.tables.glue_tables import Table

SENT = "sent"
EVENT_TYPES = {
    SENT: "sent",
    "open": "opens",
    "click": "clicks",
    "hard_bounce": "hard_bounces",
    "soft_bounce": "soft_bounces",
    "optout": "optouts",
}
"""The table of each type of events."""

_MATCHED = (Role.MESSAGE, Role.CAMPAIGN, Role.DELIVERY)


@dataclass(frozen=True)
class Source:
    """A table, and expressions in SQL for what it says of an event; None for what it does not."""

    table: Table

    def role(self, role: Role) -> str | None:
        """The field in a role: that of the profile, else the one that is named so."""
        path = self.table.profile.roles.get(role.value)
        if path is None:
            found = field_names.best(self._paths, (role,))
            path = found[0] if found else None
        return None if path is None else self._field(path)

    @property
    def campaign(self) -> str | None:
        """The campaign, or the delivery that stands for one."""
        return self.role(Role.CAMPAIGN) or self.role(Role.DELIVERY)

    @property
    def campaign_name(self) -> str | None:
        """What the campaign is called."""
        return self._first(lambda words: words in (("campaign", "name"), ("campaign", "title"), ("campaign",)))

    @property
    def channel(self) -> str | None:
        """The channel: e-mail, SMS."""
        return self._first(lambda words: words == ("channel",))

    @property
    def user_agent(self) -> str | None:
        """What the reader's program calls itself."""
        return self._first(lambda words: words[-2:] == ("user", "agent"))

    @property
    def _paths(self) -> list[str]:
        return [column.source for column in self.table.schema.stored if column.kind is not Kind.JSON]

    def _first(self, matches: Callable[[tuple[str, ...]], bool]) -> str | None:
        found = sorted((path for path in self._paths if matches(field_names.words(path))), key=lambda path: -len(path))
        return self._field(found[0]) if found else None

    def _field(self, path: str) -> str | None:
        stored = {column.source: column for column in self.table.schema.stored}
        if path in stored:
            return f"CAST({quoted(stored[path].name)} AS varchar)"
        outer, _, inner = path.partition(".")
        if outer not in stored or stored[outer].kind is not Kind.JSON or any(mark in path for mark in "\"'\\[]"):
            return None
        steps = "".join(f'["{step}"]' for step in inner.split("."))
        return f"json_extract_scalar({quoted(stored[outer].name)}, {literal(f'${steps}')})"


@dataclass(frozen=True)
class Match:
    """By what an event finds its send."""

    who: Role
    what: Role


def sources(tables: Mapping[str, Table]) -> dict[str, Source]:
    """The tables of events that are there, by the type of their events."""
    return {
        event: Source(tables[name])
        for event, name in EVENT_TYPES.items()
        if name in tables and tables[name].profile.has_days
    }


def match(found: Mapping[str, Source]) -> Match | None:
    """The roles by which most tables can be matched to the sends; the better role among equals. None without sends."""
    if SENT not in found:
        return None
    possible = [Match(who, what) for who in WHO for what in _MATCHED if _has(found[SENT], who, what)]
    return max(
        possible, key=lambda one: sum(_has(source, one.who, one.what) for source in found.values()), default=None
    )


def unmatched(found: Mapping[str, Source], by: Match) -> list[str]:
    """The tables that lack what they would be matched by."""
    return [
        EVENT_TYPES[event]
        for event, source in found.items()
        if not _has(source, by.who, by.what) and not names_no_one(source, by)
    ]


def names_no_one(source: Source, by: Match) -> bool:
    """Whether a table says of which message an event is, and not of whom: the vendor's bounces are like that."""
    return by.what is Role.MESSAGE and source.role(by.who) is None and source.role(by.what) is not None


def _has(source: Source, who: Role, what: Role) -> bool:
    return source.role(who) is not None and source.role(what) is not None
