import gzip
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lambdas.vocabulary import EXPORT_TYPES, Period
from local.standin import records, spool
from local.standin.containers import FORMS, container
from local.standin.options import Options
from local.standin.periods import Windows, milliseconds, window
from local.standin.world import World

NOW = datetime(2026, 11, 24, 3, 20, 7, 123000, tzinfo=UTC)
EVENTS = [name for name, export in EXPORT_TYPES.items() if export.is_event]
ENTITIES = [name for name, export in EXPORT_TYPES.items() if not export.is_event]


def key_of(export: str) -> str:
    """The id of a record's own."""
    return "eventId" if EXPORT_TYPES[export].is_event else f"{export.lower()[:-1]}Id"


def texts(
    export_type: str,
    period: Period = Period.LAST_DAY,
    now: datetime = NOW,
    *,
    seed: int = 1,
    events_per_day: int = 2000,
    windows: Windows = Windows.ROLLING,
) -> Iterator[str]:
    span = window(period, now, windows)
    return records.records(World(seed), export_type, span, milliseconds(now), events_per_day)


def parsed(*arguments: Any, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(text) for text in texts(*arguments, **options)]


def instant(record: dict[str, Any], field: str = "timestamp") -> datetime:
    return datetime.fromisoformat(record[field])


def test_every_export_type_of_the_vocabulary_has_records_with_its_key() -> None:
    for export in EXPORT_TYPES.values():
        found = parsed(export.name, Period.LAST_WEEK)
        keys = [record[key_of(export.name)] for record in found]
        assert found, export.name
        assert len(set(keys)) == len(keys), export.name


@pytest.mark.parametrize("export_type", EVENTS)
def test_an_event_is_the_same_text_in_every_export_that_covers_it(export_type: str) -> None:
    yesterday = set(texts(export_type, Period.LAST_3_DAYS, NOW - timedelta(days=1)))
    today = set(texts(export_type, Period.LAST_3_DAYS, NOW))
    start, end = NOW - timedelta(days=3), NOW - timedelta(days=1)
    shared = {text for text in yesterday if start <= instant(json.loads(text)) < end}

    assert shared
    assert shared == {text for text in today if start <= instant(json.loads(text)) < end}


@pytest.mark.parametrize("export_type", EVENTS)
def test_exports_of_neighbouring_windows_neither_lose_nor_repeat_an_event(export_type: str) -> None:
    days = [text for back in (2, 1, 0) for text in texts(export_type, now=NOW - timedelta(days=back))]
    assert Counter(days) == Counter(texts(export_type, Period.LAST_3_DAYS))


@pytest.mark.parametrize("export_type", EVENTS)
def test_every_event_lies_within_its_period(export_type: str) -> None:
    assert all(NOW - timedelta(days=1) <= instant(record) < NOW for record in parsed(export_type))


def test_another_seed_is_another_account() -> None:
    assert set(texts("SENT", seed=1)).isdisjoint(texts("SENT", seed=2))


def test_the_volume_is_that_of_the_option() -> None:
    assert len(parsed("SENT", Period.LAST_DAY, NOW.replace(hour=0, minute=0, second=0, microsecond=0))) == 2000
    assert parsed("SENT", events_per_day=0) == []


def test_events_follow_each_other_in_time_and_in_believable_shares() -> None:
    many = 20_000
    found = {name: parsed(name, events_per_day=many) for name in EVENTS}
    sent = len(found["SENT"])

    assert abs(sent - many) <= 1
    assert 0.30 < len(found["OPENS"]) / sent < 0.42
    assert 0.07 < len(found["CLICKS"]) / len(found["OPENS"]) < 0.13
    assert 0 < len(found["HARD_BOUNCES"]) < len(found["SOFT_BOUNCES"]) < sent / 50
    assert 0 < len(found["OPTOUTS"]) < sent / 100
    for name in EVENTS:
        assert all(instant(record) >= instant(record, "sentTimestamp") for record in found[name])


def test_an_open_follows_a_sent_event_and_a_click_follows_an_open() -> None:
    def by_send(export_type: str) -> dict[int, list[dict[str, Any]]]:
        groups: dict[int, list[dict[str, Any]]] = {}
        for record in parsed(export_type, Period.LAST_WEEK, events_per_day=3000):
            groups.setdefault(record["eventId"] // 10, []).append(record)
        return groups

    sent, opens, clicks = by_send("SENT"), by_send("OPENS"), by_send("CLICKS")
    # What came just after the window's start may follow something before it.
    settled = NOW - timedelta(days=5)
    for send, events in opens.items():
        if instant(events[0]) > settled:
            assert events[0]["sentTimestamp"] == sent[send][0]["timestamp"]
            assert events[0]["contactId"] == sent[send][0]["contactId"]
    for send, events in clicks.items():
        if instant(events[0]) > settled:
            assert instant(events[0]) > instant(opens[send][0])
            assert events[0]["clickTimestamp"] == events[0]["timestamp"]
            assert events[0]["linkTarget"].startswith("https://shop.example.com/")
    assert any(len(events) == 2 for events in opens.values())


def test_event_times_are_spread_over_the_day_with_milliseconds_and_varying_offsets() -> None:
    stamps = [record["timestamp"] for record in parsed("OPENS")]
    assert {stamp[-6:] for stamp in stamps} == {"+02:00", "-04:00", "+00:00"}
    assert {len(stamp) for stamp in stamps} == {len("2026-11-24T03:20:07.123+02:00")}
    assert len({datetime.fromisoformat(stamp).astimezone(UTC).hour for stamp in stamps}) == 24


@pytest.mark.parametrize("export_type", ENTITIES)
def test_entities_are_the_same_ones_in_a_state_that_changes_with_time(export_type: str) -> None:
    key = key_of(export_type)
    now, later = parsed(export_type), parsed(export_type, now=NOW + timedelta(days=3))
    assert [record[key] for record in now] == [record[key] for record in later]
    assert now != later
    assert all(record["dateCreated"] <= record["dateModified"] <= milliseconds(NOW) for record in now)


@pytest.mark.parametrize(
    ("period", "windows", "start", "end"),
    [
        (Period.TODAY, Windows.ROLLING, "2026-11-24T00:00:00", "2026-11-24T03:20:07.123"),
        (Period.LAST_DAY, Windows.ROLLING, "2026-11-23T03:20:07.123", "2026-11-24T03:20:07.123"),
        (Period.LAST_3_DAYS, Windows.ROLLING, "2026-11-21T03:20:07.123", "2026-11-24T03:20:07.123"),
        (Period.LAST_WEEK, Windows.ROLLING, "2026-11-17T03:20:07.123", "2026-11-24T03:20:07.123"),
        (Period.LAST_2_WEEKS, Windows.ROLLING, "2026-11-10T03:20:07.123", "2026-11-24T03:20:07.123"),
        (Period.TODAY, Windows.CALENDAR, "2026-11-24T00:00:00", "2026-11-24T03:20:07.123"),
        (Period.LAST_DAY, Windows.CALENDAR, "2026-11-23T00:00:00", "2026-11-24T00:00:00"),
        (Period.LAST_2_WEEKS, Windows.CALENDAR, "2026-11-10T00:00:00", "2026-11-24T00:00:00"),
    ],
)
def test_a_period_counts_back_from_the_order(period: Period, windows: Windows, start: str, end: str) -> None:
    span = window(period, NOW.astimezone(), windows)
    assert (span.start, span.end) == tuple(
        milliseconds(datetime.fromisoformat(text + "+00:00")) for text in (start, end)
    )


def unpacked(form: str, content: bytes) -> list[Any]:
    text = content.decode("utf-8-sig")
    if form == "ndjson":
        return [json.loads(line) for line in text.splitlines()]
    whole = json.loads(text)
    return list(whole["records"] if form == "wrapper" else whole)


@pytest.mark.parametrize("ending", ["", ".gz", "+gzip"])
@pytest.mark.parametrize("form", FORMS)
def test_every_container_holds_the_same_records(form: str, ending: str, tmp_path: Path) -> None:
    progress: list[int] = []
    file = spool.write(
        tmp_path / "r", texts("SENT", events_per_day=5000), container(form + ending), "SENT", progress.append
    )

    stored = file.path.read_bytes()
    assert len(stored) == file.size
    content = gzip.decompress(stored) if ending else stored
    assert unpacked(form, content) == parsed("SENT", events_per_day=5000)
    assert progress[-1] == file.records
    assert file.content_encoding == ("gzip" if ending == "+gzip" else None)
    assert content.startswith(b"\xef\xbb\xbf") == (form == "bom")


@pytest.mark.parametrize("form", FORMS)
def test_a_quiet_day_is_an_empty_container(form: str, tmp_path: Path) -> None:
    file = spool.write(tmp_path / "r", iter(()), container(form), "SENT", lambda count: None)
    assert unpacked(form, file.path.read_bytes()) == []
    assert file.records == 0
    assert (file.size == 0) == (form == "ndjson")


def test_the_same_records_are_the_same_bytes_also_packed(tmp_path: Path) -> None:
    files = [
        spool.write(tmp_path / name, texts("OPENS"), container("ndjson.gz"), "OPENS", lambda count: None)
        for name in "ab"
    ]
    assert files[0].etag == files[1].etag


@pytest.mark.parametrize(
    "wrong",
    [
        {"customer_id": ""},
        {"customer_id": "1/2"},
        {"token": ""},
        {"api_port": 70000},
        {"events_per_day": -1},
        {"events_per_day": 10_000_001},
        {"finish_after_polls": 0},
        {"finish_after_seconds": -1},
        {"link_seconds": 0},
        {"calls_per_minute": 0},
        {"minute_seconds": 0},
        {"container": "xml"},
        {"containers": {"OPENS": "zip"}},
        {"containers": {"OPENED": "array"}},
    ],
)
def test_an_option_that_makes_no_sense_is_refused_with_a_sentence(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"\.$"):
        replace(Options(), **wrong)


def test_the_token_does_not_show_when_options_are_printed() -> None:
    assert "synthetic-token" not in repr(Options())
