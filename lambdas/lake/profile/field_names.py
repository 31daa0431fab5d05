"""What a field's name hints at: the role of an id, and how likely a time is that of the event.

Names are hints: they choose among the fields that the evidence admits, and never overrule it.
"""

import re
from collections.abc import Iterable
from enum import IntEnum, StrEnum

from lambdas.vocabulary import ExportType


class Role(StrEnum):
    """What a field identifies."""

    CONTACT = "contact"
    RECIPIENT = "recipient"
    ADDRESS = "address"
    MESSAGE = "message"
    CAMPAIGN = "campaign"
    DELIVERY = "delivery"
    LIST = "list"
    PROJECT = "project"
    LINK = "link"


WHO = (Role.CONTACT, Role.RECIPIENT, Role.ADDRESS)
"""The roles that say to whom something happened, the best first."""
WHAT = (Role.MESSAGE, Role.CAMPAIGN, Role.DELIVERY, Role.LIST, Role.PROJECT)
"""The roles that say with what it happened, the best first."""


class TimeRank(IntEnum):
    """How likely a time is that of the event, by its name; the lowest first."""

    OWN_VERB = 0
    GENERAL = 1
    UNNAMED = 2
    CREATED = 3
    OTHER_VERB = 4
    UPDATED = 5


_NOUNS: dict[Role, tuple[str, ...]] = {
    Role.CONTACT: ("contact", "subscriber", "member", "person", "user", "customer", "profile", "lead"),
    Role.RECIPIENT: ("recipient", "receiver"),
    Role.ADDRESS: ("email", "emailaddress", "address", "mobile", "phone", "msisdn", "to", "destination"),
    Role.MESSAGE: ("message", "mail", "mailing", "letter", "dispatch", "newsletter"),
    Role.CAMPAIGN: ("campaign", "camp"),
    Role.DELIVERY: ("delivery", "deployment", "send"),
    Role.LIST: ("list", "audience", "group", "segment"),
    Role.PROJECT: ("project",),
    Role.LINK: ("link", "url"),
}
_OF_MACHINES = (("ip", "address"), ("remote", "address"), ("mac", "address"))
_IDS = ("id", "uuid", "guid", "key", "sid", "target", "no", "nr", "number", "ref")
_VERBS: dict[str, tuple[str, ...]] = {
    "OPENS": ("open", "opens", "opened", "read"),
    "CLICKS": ("click", "clicks", "clicked"),
    "SENT": ("send", "sends", "sent", "deliver", "delivered"),
    "HARD_BOUNCES": ("bounce", "bounces", "bounced"),
    "SOFT_BOUNCES": ("bounce", "bounces", "bounced"),
    "OPTOUTS": ("optout", "optouts", "unsubscribe", "unsubscribes", "unsubscribed", "unsubscription", "out", "unsub"),
    "MESSAGES": ("send", "sends", "sent"),
}
_GENERAL = frozenset(
    ("timestamp", "tstamp", "time", "date", "datetime", "when", "ts", "at", "on", "utc", "occurred", "happened")
)
_OF_EVENTS = frozenset(("event", "activity", "action"))
_CREATED = frozenset(("created", "create", "creation", "cdate", "added", "inserted", "registered"))
_UPDATED = frozenset(("updated", "update", "modified", "changed", "mdate", "udate", "last", "edited"))
_GLUED = re.compile(rf"({'|'.join(sorted({noun for nouns in _NOUNS.values() for noun in nouns}))})(id|key|guid|uuid)")


def words(path: str) -> tuple[str, ...]:
    """The words of a field's name, and of the objects around it, in lower case: `event.contactId` has three."""
    found = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", path)
    single = (_GLUED.sub(r"\1 \2", word.lower()) for word in found)
    return tuple(part for word in single for part in word.split())


def role(path: str) -> tuple[Role, int] | None:
    """The role that a name hints at, and how directly: 0 for `contactId`, 1 for `carmaContactId`, 2 for `contact`."""
    found = words(path)
    is_id = bool(found) and found[-1] in _IDS
    stem = found[:-1] if is_id else found
    if not stem:
        return None
    if stem[-2:] in _OF_MACHINES:
        return None
    for role_found, nouns in _NOUNS.items():
        if stem[-1] in nouns or stem[-1].removesuffix("s") in nouns:
            directness = (0 if is_id else 2) + (len(stem) > 1)
            return role_found, directness
    return None


def is_role_id(path: str) -> bool:
    """Whether a name is that of an id of something known: `contactId`, `carmaContactId`, `list_id`."""
    found = role(path)
    return found is not None and found[1] < 2


def is_own_id(path: str) -> bool:
    """Whether a name is that of a record's own id, without a noun: `id`, `ID`, `uuid`, `_key`."""
    found = words(path)
    return len(found) == 1 and found[0] in _IDS[:4]


def is_id(path: str) -> bool:
    """Whether a name ends like an id's."""
    found = words(path)
    return bool(found) and found[-1] in _IDS[:4]


def is_event_id(path: str) -> bool:
    """Whether a name is that of an event's id: `eventId`, `event_uuid`."""
    return words(path)[:1] == ("event",) and is_id(path)


def telling_apart(paths: Iterable[str]) -> tuple[str, ...]:
    """What tells events of one contact and message on one day apart: the id of the event, and the link.

    Not a bare `id`, which may be the number of a row.
    """
    found = list(paths)
    links = best(found, (Role.LINK,))
    return (*[path for path in found if is_event_id(path)][:1], *([links[0]] if links else []))


def is_title(path: str) -> bool:
    """Whether a field names what its record is about, for people."""
    return words(path)[-1:] in (("name",), ("title",), ("subject",), ("label",))


def key_rank(path: str, export: ExportType) -> int | None:
    """How likely a field is the key of an entity: 0 `listId` of LISTS, 1 `id`, 2 another noun's id; None if no id."""
    if not is_id(path):
        return None
    if is_own_id(path):
        return 1
    noun = export.name.lower().removesuffix("s")
    return 0 if words(path)[:-1] == (noun,) else 2


def time_rank(path: str, export: ExportType) -> TimeRank:
    """How likely a field is the time of the event, by its name and that of the object around it."""
    found = set(words(path))
    *around, leaf = (words(part) for part in path.split("."))
    own_verbs = set(_VERBS.get(export.name, ()))
    # `out` is a verb in `optOutDate` alone.
    own = own_verbs & set(leaf)
    others = {verb for verbs in _VERBS.values() for verb in verbs} - own_verbs
    if not others & set(leaf):
        # Also an object around it that the verb alone names: `open.timestamp`, not `openedMail.timestamp`.
        own |= {part[0] for part in around if len(part) == 1 and part[0] in own_verbs}
    if found & _UPDATED:
        return TimeRank.UPDATED
    if found & _CREATED:
        return TimeRank.CREATED if not found & others else TimeRank.OTHER_VERB
    if own:
        return TimeRank.OWN_VERB
    if found & others:
        return TimeRank.OTHER_VERB
    return TimeRank.GENERAL if found <= _GENERAL | _OF_EVENTS else TimeRank.UNNAMED


def depth(path: str) -> int:
    """How deep a path lies in its record: 0 for a field of the record itself."""
    return path.count(".")


def best(paths: Iterable[str], wanted: tuple[Role, ...]) -> tuple[str, Role] | None:
    """The path that has the first of these roles most directly, if any has one."""
    ranked = []
    for position, path in enumerate(paths):
        found = role(path)
        if found is not None and found[0] in wanted:
            ranked.append((wanted.index(found[0]), found[1], depth(path), position, path, found[0]))
    return (min(ranked)[4], min(ranked)[5]) if ranked else None
