"""Shapes of exports, drawn from the names that other vendors use: a true set of events, and the files that tell of it.

Nothing here is taken from the code under test: names and formats are those of public documents and clients.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

Record = dict[str, Any]

ORDERED = datetime(2026, 11, 20, 3, 30, tzinfo=UTC)
"""When the first night orders."""

TIME_NAMES = {
    "OPENS": ("openTime", "opened_at", "open.timestamp", "DateOpened"),
    "CLICKS": ("clickTimestamp", "clickedOn", "click.date", "ClickDate"),
    "SENT": ("sentTimestamp", "sentAt", "SentDate", "date_sent", "DeliveredAt"),
    "HARD_BOUNCES": ("bounceDate", "BouncedAt", "bounce.timestamp", "opened"),
    "OPTOUTS": ("optOutDate", "unsubscribed_at", "UnsubscribeTime"),
}
GENERAL_TIMES = (
    *("timestamp", "time", "Date", "ts", "event_time", "activityDate", "when", "created", "createdOn", "event.at"),
)
WHO = ("contactId", "subscriber_id", "memberId", "recipient", "ContactID", "contact.id", "external_user_id", "email")
WHAT = ("messageId", "campaignId", "mailing_id", "MessageID", "delivery.id", "campaign_id", "message", "sg_message_id")
KEYS = {
    "LISTS": ("listId", "id", "ID", "ListID", "uuid"),
    "CAMPAIGNS": ("campaignId", "id", "campaign_id", "guid", "_id"),
}


def _offset(moment: datetime, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="milliseconds")


def _naive(moment: datetime, zone: ZoneInfo) -> datetime:
    return moment.astimezone(zone).replace(tzinfo=None)


Writer = Callable[[datetime, ZoneInfo], Any]
FORMATS: Mapping[str, tuple[Writer, timedelta]] = {
    "iso offset": (_offset, timedelta(milliseconds=1)),
    "iso z": (lambda at, _: at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), timedelta(milliseconds=1)),
    "iso 7 digits": (lambda at, _: at.strftime("%Y-%m-%dT%H:%M:%S.%f") + "0Z", timedelta(milliseconds=1)),
    "iso hours": (lambda at, zone: at.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S%z"), timedelta(seconds=1)),
    "iso blank": (lambda at, zone: _naive(at, zone).strftime("%Y-%m-%d %H:%M:%S"), timedelta(seconds=1)),
    "iso minutes": (lambda at, zone: _naive(at, zone).strftime("%Y-%m-%d %H:%M"), timedelta(minutes=1)),
    "iso zone": (lambda at, _: at.strftime("%Y-%m-%dT%H:%M:%SZ[UTC]"), timedelta(seconds=1)),
    "compact": (lambda at, zone: _naive(at, zone).strftime("%Y%m%d%H%M%S"), timedelta(seconds=1)),
    "date": (lambda at, zone: _naive(at, zone).strftime("%Y-%m-%d"), timedelta(days=1)),
    "epoch s": (lambda at, _: int(at.timestamp()), timedelta(seconds=1)),
    "epoch s text": (lambda at, _: str(int(at.timestamp())), timedelta(seconds=1)),
    "epoch s fraction": (lambda at, _: round(at.timestamp(), 3), timedelta(milliseconds=1)),
    "epoch ms": (lambda at, _: round(at.timestamp() * 1000), timedelta(milliseconds=1)),
    "epoch ms text": (lambda at, _: str(round(at.timestamp() * 1000)), timedelta(milliseconds=1)),
    "epoch us": (lambda at, _: round(at.timestamp() * 1000) * 1000, timedelta(milliseconds=1)),
    "rfc 2822": (lambda at, zone: at.astimezone(zone).strftime("%a, %d %b %Y %H:%M:%S %z"), timedelta(seconds=1)),
    "java": (lambda at, _: at.strftime("%a %b %d %H:%M:%S UTC %Y"), timedelta(seconds=1)),
    "day first": (lambda at, zone: _naive(at, zone).strftime("%d.%m.%Y %H:%M:%S"), timedelta(seconds=1)),
    "month first": (lambda at, zone: _naive(at, zone).strftime("%m/%d/%Y %I:%M:%S %p"), timedelta(seconds=1)),
    "array": (lambda at, zone: list(_naive(at, zone).timetuple()[:6]), timedelta(seconds=1)),
    "$date": (lambda at, _: {"$date": round(at.timestamp() * 1000)}, timedelta(milliseconds=1)),
    "/Date()/": (lambda at, _: f"/Date({round(at.timestamp() * 1000)})/", timedelta(milliseconds=1)),
}
CONTAINERS: Mapping[str, Callable[[Sequence[Record]], bytes]] = {
    "array": lambda records: json.dumps(records).encode(),
    "compact": lambda records: json.dumps(records, separators=(",", ":")).encode(),
    "lines": lambda records: b"".join(json.dumps(record).encode() + b"\n" for record in records),
    "wrapper": lambda records: json.dumps({"status": "ok", "data": records}).encode(),
}


@dataclass(frozen=True)
class Event:
    """Something that happened, and its truth."""

    contact: int
    message: int
    at: datetime
    note: str


@dataclass(frozen=True)
class Shape:
    """How a vendor writes its records."""

    export: str
    time: str
    time_format: str
    who: str | None
    what: str | None
    zone: str = "UTC"
    container: str = "lines"
    ids_are_numbers: bool = False
    decoys: frozenset[str] = frozenset()

    @property
    def resolution(self) -> timedelta:
        """The resolution of its times."""
        return FORMATS[self.time_format][1]

    @property
    def tells_apart(self) -> bool:
        """Whether it tells two events of a contact and message apart, though they are of one day."""
        return self.resolution < timedelta(days=1) or "stable ids" in self.decoys

    def file(self, events: Sequence[Event], night: int, customer: int = 4711) -> bytes:
        """The file of a night's export."""
        return CONTAINERS[self.container](self.records(events, night, customer))

    def records(self, events: Sequence[Event], night: int, customer: int = 4711) -> list[Record]:
        """The records of a night's export."""
        return [self._record(one, row, night, customer) for row, one in enumerate(events)]

    def day(self, event: Event) -> str:
        """The day of an event in the account's zone."""
        return str(event.at.astimezone(ZoneInfo(self.zone)).date())

    def _record(self, event: Event, row: int, night: int, customer: int) -> Record:
        record: Record = {}
        write, zone = FORMATS[self.time_format][0], ZoneInfo(self.zone)
        ordered = ORDERED + timedelta(days=night)
        for name, value in self._decoys(event, row, night, customer).items():
            _put(record, name, write(value, zone) if isinstance(value, datetime) else value)
        if self.who:
            _put(record, self.who, self._id("c", 500 + event.contact))
        if self.what:
            _put(record, self.what, self._id("m", 7000 + event.message))
        _put(record, self.time, write(event.at, zone))
        if "the export's moment" in self.decoys:
            record["exportedAt"] = write(ordered + timedelta(milliseconds=row), zone)
        record["note"] = event.note
        return record

    def _decoys(self, event: Event, row: int, night: int, customer: int) -> Mapping[str, Any]:
        found: dict[str, Any] = {}
        for decoy in sorted(self.decoys):
            match decoy:
                case "row numbers":
                    found["id"] = row + 1
                case "stable ids":
                    found["eventId"] = int(event.note[1:]) + 10_000
                case "a customer id":
                    found["customerId"] = customer
                case "a constant update":
                    found["updatedAt"] = ORDERED
                case "a send time":
                    found["sentTimestamp"] = event.at - timedelta(hours=2, seconds=event.contact)
                case "counters":
                    found["opens"] = event.contact * 3 + night
                case "an address":
                    found["emailAddress"] = f"a{event.contact}.{night % 2}@mail.example.com"
        return found

    def _id(self, letter: str, number: int) -> Any:
        return number if self.ids_are_numbers else f"{letter}{number}"


@dataclass(frozen=True)
class Story:
    """What really happened, and which of it each night's export has."""

    events: tuple[Event, ...] = field(repr=False)
    nights: tuple[tuple[Event, ...], ...] = field(repr=False)
    sizes: tuple[int, ...] = ()
    is_complete: bool = True
    """Whether every export has all events of its time."""


def story(
    random: Random,
    *,
    nights: int,
    per_day: int,
    days: int = 3,
    late: float = 0.0,
    deleted: float = 0.0,
    old: bool = False,
) -> Story:
    """Events of all days that the nights' exports cover; `late` and `deleted` are shares of a night's events."""
    events: list[Event] = []
    for day in range(-days, nights):
        for _ in range(per_day):
            at = ORDERED + timedelta(days=day, milliseconds=random.randrange(86_400_000))
            events.append(Event(random.randrange(per_day + 2), random.randrange(3), at, f"n{len(events)}"))
    if old:
        events.append(Event(0, 0, ORDERED - timedelta(days=days + 4), f"n{len(events)}"))
    told = []
    for night in range(nights):
        ordered = ORDERED + timedelta(days=night)
        window = [one for one in events if ordered - timedelta(days=days) <= one.at < ordered]
        if old and night == 0:
            window.append(events[-1])
        random.shuffle(window)
        dropped = int(len(window) * (late if night % 2 == 0 else deleted))
        told.append(tuple(window[dropped:] if dropped < len(window) else window))
    seen = {one.note for night in told for one in night}
    known = tuple(one for one in events if one.note in seen)
    return Story(known, tuple(told), tuple(map(len, told)), not late and not deleted)


def _put(record: Record, path: str, value: Any) -> None:
    *outer, name = path.split(".")
    for part in outer:
        record = record.setdefault(part, {})
    record[name] = value
