"""What the vendor's fields mean, as far as anybody has published it: for comments and the data dictionary alike.

Names are hints here too: an export may use one in another sense, so each meaning says where it is known from.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from lambdas.lake.profile import field_names
from lambdas.vocabulary import ExportType


class Origin(StrEnum):
    """Where a meaning is known from."""

    WEBHOOKS = "Symplify's webhooks"
    """Published by the vendor, for its webhooks: nothing public shows an export."""
    CLIENTS = "public clients"
    """Names in two public clients of the vendor's REST API; the words are what the names say."""


class Unit(StrEnum):
    """What the values of a field are in."""

    NONE = ""
    TIME = "time"
    COUNT = "count"
    OBJECT = "JSON"


@dataclass(frozen=True)
class Meaning:
    """What a field means."""

    words: str
    """A sentence without its point."""
    unit: Unit = Unit.NONE
    is_personal: bool = False
    """Whether its values identify a person, or describe one."""
    origin: Origin = Origin.WEBHOOKS


def _client(words: str, unit: Unit = Unit.NONE, *, is_personal: bool = False) -> Meaning:
    return Meaning(words, unit, is_personal, Origin.CLIENTS)


COMMON: Mapping[str, Meaning] = {
    "eventId": Meaning("The event, by Symplify's id"),
    "contactId": Meaning("The contact, by your own id", is_personal=True),
    "carmaContactId": Meaning("The contact, by Symplify's id", is_personal=True),
    "campaignId": Meaning("The campaign, by Symplify's id"),
    "campaign": Meaning("The campaign's name"),
    "projectId": Meaning("The project, by Symplify's id"),
    "project": Meaning("The project's name"),
    "listId": Meaning("The list, by Symplify's id"),
    "list": Meaning("The list's name"),
    "module": Meaning("Symplify's module; its values are not documented"),
    "channel": Meaning("The channel, such as email or SMS"),
    "messageType": Meaning("The kind of event, such as OPENED"),
    "description": Meaning("The kind of event in words, such as MailOpened"),
    "sentTimestamp": Meaning("When the message was sent", Unit.TIME),
    "timestamp": Meaning("When the event happened", Unit.TIME),
    "clickTimestamp": Meaning("When the link was clicked", Unit.TIME),
    "linkTarget": Meaning("The link's address, whose query may say who clicked", is_personal=True),
    "messageId": _client("The message, one mail to one person, by Symplify's id", is_personal=True),
    "deliveryId": _client("What was delivered, probably the campaign, by Symplify's id"),
    "originalId": _client("The contact, by your own id", is_personal=True),
    "emailAddress": _client("The contact's mail address", is_personal=True),
    "mobileNumber": _client("The contact's mobile number", is_personal=True),
    "zipcode": _client("The contact's postal code", is_personal=True),
    "dateOfBirth": _client("The contact's date of birth", is_personal=True),
    "optOutDate": _client("When the contact opted out", Unit.TIME),
    "properties": _client("Your own fields of the contact, by number", Unit.OBJECT, is_personal=True),
    "namedProperties": _client("Your own fields of the contact, by name", Unit.OBJECT, is_personal=True),
    "dateCreated": _client("When it was created", Unit.TIME),
    "dateModified": _client("When it was last changed", Unit.TIME),
}
"""Fields that mean the same in every export."""

_BOUNCE: Mapping[str, Meaning] = {
    "bounceType": _client("The kind of bounce"),
    "recipient": _client("The address that bounced", is_personal=True),
    "bounceDate": _client("When it bounced", Unit.TIME),
    "bncCat": _client("The category of the bounce"),
    "dsnStatus": _client("The status in the receiving server's report"),
    "dsnStatusCode": _client("The status code in the receiving server's report, such as 5.1.1"),
    "dsnDiagnosis": _client("The receiving server's words, which may quote the address", is_personal=True),
    "dsnMta": _client("The server that made the report"),
    "remoteMta": _client("The receiving mail server"),
    "mta": _client("The sending mail server"),
    "vmta": _client("The sending mail server's virtual one"),
    "senderAddress": _client("The address that the mail was sent from"),
    "domain": _client("The domain of the recipient's address"),
}

OF_EXPORT: Mapping[str, Mapping[str, Meaning]] = {
    "LISTS": {
        "id": _client("The list, by Symplify's id"),
        "listTypeId": _client("The kind of list, by Symplify's id"),
        "name": _client("The list's name"),
        "description": _client("What the list is for, in words"),
        "lastImportTime": _client("When contacts were last imported", Unit.TIME),
        "lastUpdateTime": _client("When the list last changed", Unit.TIME),
        "contacts": _client("Contacts on the list", Unit.COUNT),
        "unsubscribes": _client("Contacts that have opted out", Unit.COUNT),
        "hardBounces": _client("Contacts whose address bounces for good", Unit.COUNT),
        "complaints": _client("Contacts that have complained", Unit.COUNT),
        "inactive": _client("Contacts that are inactive", Unit.COUNT),
        "emailAddresses": _client("Contacts with a mail address", Unit.COUNT),
        "mobileNumbers": _client("Contacts with a mobile number", Unit.COUNT),
        "pushIds": _client("Contacts with an id for push messages", Unit.COUNT),
        "permissions": _client("Whether it may be read, written and executed", Unit.OBJECT),
        "breakdown": _client("The counts by channel", Unit.OBJECT),
    },
    "CAMPAIGNS": {
        "campaignName": _client("The campaign's name"),
        "campaignTypeId": _client("The kind of campaign, by Symplify's id"),
        "active": _client("Whether the campaign is active"),
        "locked": _client("Whether the campaign is locked"),
        "lastActivated": _client("When the campaign was last activated", Unit.TIME),
        "userCreated": _client("The user of Symplify who created it", is_personal=True),
        "userModified": _client("The user of Symplify who last changed it", is_personal=True),
        "statDtos": _client("Symplify's own counters by delivery, which change every night", Unit.OBJECT),
        "statusDtos": _client("Symplify's own counters by delivery, which change every night", Unit.OBJECT),
    },
    "MESSAGES": {
        "id": _client("The message, one mail to one person, by Symplify's id", is_personal=True),
        "name": _client("The message's name"),
        "type": _client("The kind of message"),
        "read": _client("Whether the message was read"),
        "readTimestamp": _client("When the message was read", Unit.TIME),
        "openInBrowserUrl": _client("The message's address on the web, which may say whose it is", is_personal=True),
        "actions": _client("What became of the message: opened, clicked, bounced and so on", Unit.OBJECT),
        "archived": _client("Whether the message is archived"),
    },
    "HARD_BOUNCES": _BOUNCE,
    "SOFT_BOUNCES": _BOUNCE,
    "CLICKS": {"tags": _client("The link's tags", Unit.OBJECT)},
}
"""Fields by the export type whose records they are of; these come before those of `COMMON`."""


def _by_words(fields: Mapping[str, Meaning]) -> Mapping[tuple[str, ...], Meaning]:
    """A name in another style is the same: `contact_id`, `ContactID`."""
    return {field_names.words(name): meaning for name, meaning in fields.items()}


_COMMON = _by_words(COMMON)
_OF_EXPORT = {name: _by_words(fields) for name, fields in OF_EXPORT.items()}


def meaning_of(source: str, export: ExportType) -> Meaning | None:
    """What a field, or a path of names joined by dots, means; None where nothing is published."""
    found = field_names.words(source.rpartition(".")[2])
    return _OF_EXPORT.get(export.name, {}).get(found) or _COMMON.get(found)
