"""Mails: what was sent to one person, in the state that the events after it have left; a source of shapes."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from local.standin.periods import Window
from local.standin.records import (
    FIRST_CARMA_CONTACT,
    KINDS,
    MAX_EVENTS_PER_DAY,
    campaign_fields,
    contact_of,
    contacts_of,
    sends,
)
from local.standin.world import DAY_MS, World

# The state of a mail, and the export type whose events bring it about.
_STATES = {
    "opened": "OPENS",
    "clicked": "CLICKS",
    "softBounce": "SOFT_BOUNCES",
    "hardBounce": "HARD_BOUNCES",
    "unsubscribed": "OPTOUTS",
}


def mails(world: World, window: Window, ordered_at: int, events_per_day: int) -> Iterator[str]:
    """The mails that were sent in a window, as they are at `ordered_at` (in ms), each as compact JSON text.

    Each is a SENT event's; `mailId` is the `eventId` of any of its events without the last digit.
    """
    contacts = contacts_of(events_per_day)
    for day in range(window.start // DAY_MS, -(-window.end // DAY_MS)):
        contexts = [campaign_fields(campaign) for campaign in world.campaigns_of(day)]
        for number, sent, bits in sends(world.seed, day, events_per_day, window.start):
            if sent >= window.end:
                break
            if sent < window.start:
                continue
            contact = contact_of(bits, contacts)
            mail = {
                "mailId": day * MAX_EVENTS_PER_DAY + number,
                "contactId": f"k{contact:07d}",
                "carmaContactId": contact + FIRST_CARMA_CONTACT,
                **contexts[bits >> 40 & 7],
                **_state(sent, bits, ordered_at),
            }
            yield json.dumps(mail, ensure_ascii=False, separators=(",", ":"))


def _state(sent: int, bits: int, now: int) -> Mapping[str, Any]:
    happened = {name: [at for _, at in KINDS[kind].follow(sent, bits) if at < now] for name, kind in _STATES.items()}
    return {
        "sentTimestamp": sent,
        "readTimestamp": min(happened["opened"], default=0),
        "delivered": not (happened["softBounce"] or happened["hardBounce"]),
        **{name: bool(instants) for name, instants in happened.items()},
        "lastActionTimestamp": max([sent, *(at for instants in happened.values() for at in instants)]),
    }
