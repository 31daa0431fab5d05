"""Synthetic statistics events, generated from a seed: no person or mail behind them exists.

Every SENT event is a function of (seed, day, its number on that day), and every other event is a function of the SENT
event it follows. So an event is the same, byte for byte, in whatever export it appears. Field names are those of the
vendor's webhooks; nobody has published those of the export.
"""

import json
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from local.standin.periods import Window
from local.standin.world import DAY_MS, Campaign, World

MAX_EVENTS_PER_DAY = 10_000_000
"""Event ids leave room for that many: `(day · 10 000 000 + number) · 10 + code` stays below 2^53."""

# Shares of all SENT events, in 65536ths: 0.4 % bounce hard, 0.9 % softly, and 35 % are opened.
_HARD = 262
_SOFT = _HARD + 590
_OPENED = _SOFT + 22_940

FIRST_CARMA_CONTACT = 5_000_000
"""The vendor's id of the first contact."""

_HOUR_MS = 3_600_000
_OFFSETS = ((2, "+02:00"), (2, "+02:00"), (-4, "-04:00"), (0, "+00:00"))
_LINKS = ("", "nyheter", "rea/dam", "rea/herr", "konto", "p/4711")

_Event = tuple[int, int]
"""The event's code, which distinguishes the events of one SENT event, and its instant in ms."""


@dataclass(frozen=True)
class _Kind:
    """How one export type's events follow from a SENT event."""

    message_type: str
    description: str
    within_hours: int
    """The longest time from a SENT event to this one."""
    follow: Callable[[int, int], tuple[_Event, ...]]
    """(The SENT event's instant in ms, its random bits) -> events."""


def _sent(sent: int, bits: int) -> tuple[_Event, ...]:
    return ((0, sent),)


def _opens(sent: int, bits: int) -> tuple[_Event, ...]:
    if not _SOFT <= (bits >> 44 & 0xFFFF) < _OPENED:
        return ()
    # Half a minute to 14 hours, mostly early; the second open of 12 % within 9 more hours: all within a day.
    first = sent + 30_000 + ((bits >> 88 & 0xFFFF) ** 3 * 50_000_000 >> 48)
    if (bits >> 60 & 0xFF) < 31:
        return ((1, first), (2, first + 60_000 + (bits >> 104 & 0xFFF) * 7_900))
    return ((1, first),)


def _clicks(sent: int, bits: int) -> tuple[_Event, ...]:
    if (bits >> 68 & 0xFF) >= 26:
        return ()
    opens = _opens(sent, bits)
    if not opens:
        return ()
    first = opens[0][1] + 2_000 + (bits >> 116) * 150
    return ((3, first),) if bits >> 76 & 7 else ((3, first), (4, first + 17_251))


def _hard_bounces(sent: int, bits: int) -> tuple[_Event, ...]:
    return ((5, sent + 1_000 + (bits >> 88 & 0xFFFF)),) if (bits >> 44 & 0xFFFF) < _HARD else ()


def _soft_bounces(sent: int, bits: int) -> tuple[_Event, ...]:
    return ((6, sent + 5_000 + (bits >> 88 & 0xFFFF) * 200),) if _HARD <= (bits >> 44 & 0xFFFF) < _SOFT else ()


def _optouts(sent: int, bits: int) -> tuple[_Event, ...]:
    opens = _opens(sent, bits) if (bits >> 80 & 0xFF) < 2 else ()
    return ((7, opens[0][1] + 20_000 + (bits >> 116) * 20),) if opens else ()


KINDS = {
    "SENT": _Kind("SENT", "MailSent", 0, _sent),
    "OPENS": _Kind("OPENED", "MailOpened", 24, _opens),
    "CLICKS": _Kind("CLICKED", "ClickedLink", 16, _clicks),
    "HARD_BOUNCES": _Kind("HARD_BOUNCE", "MailHardBounced", 1, _hard_bounces),
    "SOFT_BOUNCES": _Kind("SOFT_BOUNCE", "MailSoftBounced", 4, _soft_bounces),
    "OPTOUTS": _Kind("OPTOUT", "OptedOut", 16, _optouts),
}


def records(world: World, export_type: str, window: Window, ordered_at: int, events_per_day: int) -> Iterator[str]:
    """The records of an export, each as compact JSON text.

    Events come in the order of the SENT event they follow. Entities come all, as they are at `ordered_at` (in ms),
    whatever the period.

    Raises:
        KeyError: the stand-in has no data of this export type.
    """
    if export_type in world.entities:
        return world.entities[export_type](ordered_at)
    return _events(world, export_type, KINDS[export_type], window, events_per_day)


def is_known(export_type: str) -> bool:
    """Whether the stand-in has data of this export type."""
    return export_type in KINDS or export_type in World(0).entities


def _events(world: World, export_type: str, kind: _Kind, window: Window, events_per_day: int) -> Iterator[str]:
    start, end, follow = window.start, window.end, kind.follow
    contacts = contacts_of(events_per_day)
    is_click = export_type == "CLICKS"
    first = start - kind.within_hours * _HOUR_MS
    for day in range(first // DAY_MS, -(-end // DAY_MS)):
        contexts = [_context(campaign, kind) for campaign in world.campaigns_of(day)]
        for number, sent, bits in sends(world.seed, day, events_per_day, first):
            if sent >= end:
                break
            for code, at in follow(sent, bits):
                if not start <= at < end:
                    continue
                contact = contact_of(bits, contacts)
                hours, suffix = _OFFSETS[contact & 3]
                sent_text = _stamp(sent, hours, suffix)
                at_text = _stamp(at, hours, suffix) if code else sent_text
                yield (
                    f'{{"eventId":{(day * MAX_EVENTS_PER_DAY + number) * 10 + code},"contactId":"k{contact:07d}",'
                    f'"carmaContactId":{contact + FIRST_CARMA_CONTACT},{contexts[bits >> 40 & 7]},'
                    f'"sentTimestamp":"{sent_text}","timestamp":"{at_text}"'
                    f"{_click(contact, code, bits, at_text) if is_click else ''}}}"
                )


def sends(seed: int, day: int, count: int, first: int) -> Iterator[tuple[int, int, int]]:
    """The SENT events of a day in order of time: number, instant in ms, and 128 random bits that decide the rest.

    Hours that end before the instant `first` (in ms) are left out; each hour has its own random numbers for that.
    """
    step = DAY_MS // count if count else 0
    for hour in range(24):
        if day * DAY_MS + (hour + 1) * _HOUR_MS <= first:
            continue
        draw = random.Random(f"{seed}/{day}/{hour}/sent").getrandbits  # noqa: S311 - test data
        for number in range(count * hour // 24, count * (hour + 1) // 24):
            bits = draw(128)
            yield number, day * DAY_MS + number * DAY_MS // count + ((bits & 0xFFFF) * step >> 16), bits


def contacts_of(events_per_day: int) -> int:
    """How many contacts the account has."""
    return max(1000, events_per_day * 3)


def contact_of(bits: int, contacts: int) -> int:
    """The number of the contact that a SENT event of these random bits goes to."""
    return (bits >> 16 & 0xFFFFFF) % contacts


def campaign_fields(campaign: Campaign) -> dict[str, object]:
    """The fields of records that come from their campaign."""
    return {
        "campaignId": campaign.id,
        "campaign": campaign.name,
        "projectId": campaign.project.id,
        "project": campaign.project.name,
        "listId": campaign.list.id,
        "list": campaign.list.name,
        "module": "CAMPAIGN",
        "channel": "EMAIL",
    }


def _context(campaign: Campaign, kind: _Kind) -> str:
    fields = {
        **campaign_fields(campaign),
        "messageType": kind.message_type,
        "description": kind.description,
    }
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:-1]


def _click(contact: int, code: int, bits: int, at: str) -> str:
    """The fields of clicks only. The link's query looks like personal data, as real ones can."""
    path = _LINKS[(bits + code) % len(_LINKS)]
    return (
        f',"linkTarget":"https://shop.example.com/{path}?utm_source=symplify&email=k{contact:07d}%40example.com"'
        f',"clickTimestamp":"{at}"'
    )


def _stamp(at: int, hours: int, suffix: str) -> str:
    """ISO 8601 with milliseconds, at an offset of whole hours."""
    minute, rest = divmod(at + hours * _HOUR_MS, 60_000)
    return f"{_minute(minute)}{rest // 1000:02d}.{rest % 1000:03d}{suffix}"


@lru_cache(maxsize=1 << 16)
def _minute(minute: int) -> str:
    return datetime.fromtimestamp(minute * 60, UTC).strftime("%Y-%m-%dT%H:%M:")
