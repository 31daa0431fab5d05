"""`python -m local first-contact` against the stand-in over HTTP, in the test's own process."""

import json
import os
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lambdas.vocabulary import EXPORT_TYPES
from local import cli
from local.first_contact import pace
from local.first_contact.zone import hint
from local.standin import ManualClock, Options, StandIn, shapes
from local.standin.faults import BatchStatus, Cut, FaultScript, Lost, OtherHost, Status

pytestmark = pytest.mark.enable_socket

TOKEN = "secret-of-first-contact"
# Near now: the times of the events must lie in the window of an order that is made now.
REST = shapes.read("rest-objects")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The waits, which are not waited for."""
    found: list[float] = []
    monkeypatch.setattr(pace, "sleep", found.append)
    return found


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(Options(token=TOKEN, events_per_day=1000, shape=REST)) as standin:
        yield standin


class Contact:
    """The command, with its folder and what it prints."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys = folder, capsys
        monkeypatch.setenv("SYMPLIFY_TOKEN", TOKEN)
        monkeypatch.setenv("COLUMNS", "160")
        self.out = self.err = ""

    def run(self, standin: StandIn, *words: str, url: str | None = None) -> int:
        given = ["--symplify-url", url or standin.base_url, "--customer-id", "1234", "--folder", str(self.folder)]
        status = cli.main(["first-contact", *given, *words])
        self.out, self.err = self.capsys.readouterr()
        assert TOKEN not in self.out + self.err
        assert "Signature" not in self.out + self.err
        return status

    @property
    def document(self) -> Any:
        return json.loads(self.out)

    @property
    def files(self) -> list[Path]:
        return sorted(self.folder.iterdir())


@pytest.fixture
def contact(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Contact:
    return Contact(tmp_path / "contact", capsys, monkeypatch)


def kinds(standin: StandIn) -> list[str]:
    return [call.kind for call in standin.calls]


def test_every_export_is_ordered_once_saved_for_its_owner_and_profiled(
    contact: Contact, standin: StandIn, waits: list[float]
) -> None:
    assert contact.run(standin, "--json") == 0
    found = contact.document
    assert [order.export_type for order in standin.orders] == list(EXPORT_TYPES)
    assert [one["exportType"] for one in found["exports"]] == list(EXPORT_TYPES)
    assert {one["state"] for one in found["exports"]} == {"saved"}
    profiles = {one["exportType"]: one for one in found["profiles"]}
    assert list(profiles) == list(EXPORT_TYPES)
    assert profiles["MESSAGES"]["eventTime"][0]["field"] == "sentTimestamp"
    assert profiles["HARD_BOUNCES"]["eventTime"][0]["field"] == "bounceDate"
    assert all(one["loadable"] for one in profiles.values())
    # The window is known.
    assert not any("--ordered-at" in note for one in profiles.values() for note in one["notes"])
    assert stat.S_IMODE(contact.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in contact.files} == {0o600}
    for one in found["exports"]:
        assert Path(one["file"]).read_bytes() == standin.result(one["batchId"])
    assert TOKEN.encode() not in b"".join(file.read_bytes() for file in contact.files)
    assert "Signature" not in "".join(file.read_text() for file in contact.files if file.suffix == ".order")


def test_what_is_saved_is_not_ordered_again(contact: Contact, standin: StandIn, waits: list[float]) -> None:
    assert contact.run(standin, "--export", "OPENS", "LISTS", "--json") == 0
    before = {file.name: file.read_bytes() for file in contact.files}
    assert contact.run(standin, "--export", "opens", "LISTS", "--json") == 0
    assert len(standin.orders) == 2
    assert {one["state"] for one in contact.document["exports"]} == {"saved before"}
    assert before == {file.name: file.read_bytes() for file in contact.files}
    assert len(contact.document["profiles"]) == 2


def test_a_stopped_contact_continues_with_the_batch_that_it_has_ordered(
    contact: Contact, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(pace, "sleep", stop)
    assert contact.run(standin, "--export", "CLICKS") == 130
    assert "again" in contact.err
    monkeypatch.setattr(pace, "sleep", lambda _seconds: None)
    assert contact.run(standin, "--export", "CLICKS") == 0
    assert len(standin.orders) == 1


def test_the_rate_limit_is_obeyed(contact: Contact, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock(datetime.now(UTC))
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        clock.advance(seconds)

    monkeypatch.setattr(pace, "sleep", sleep)
    with StandIn(Options(token=TOKEN, events_per_day=300, calls_per_minute=1), clock) as standin:
        assert contact.run(standin, "--export", "OPENS") == 0
        refused = [call for call in standin.calls if call.status == 429]
    assert refused
    assert len([seconds for seconds in waited if seconds >= 60]) == len(refused)
    assert len(standin.orders) == 1


def test_status_calls_wait_between_each_other(contact: Contact, waits: list[float]) -> None:
    with StandIn(Options(token=TOKEN, events_per_day=300, finish_after_polls=5)) as standin:
        assert contact.run(standin, "--export", "OPENS") == 0
        assert kinds(standin).count("status") == 5
    assert len([seconds for seconds in waits if seconds > 0]) >= 5


@pytest.mark.parametrize(
    ("rule", "sentence", "orders"),
    [
        (Status(call="order", export_type="OPENS", status=400, text="no such period"), "no such period", 1),
        (Lost(call="order", export_type="OPENS"), "may be waiting", 2),
        (BatchStatus(call="status", export_type="OPENS", status="ERROR"), "has failed", 2),
        (OtherHost(call="link", export_type="OPENS"), "resultHosts", 2),
        (Cut(call="file", export_type="OPENS", at_byte=10, times=9), "broke after 10 bytes", 2),
    ],
)
def test_an_export_that_fails_is_a_sentence_and_the_others_go_on(
    contact: Contact, waits: list[float], rule: Any, sentence: str, orders: int
) -> None:
    script = FaultScript(rules=(rule,))
    with StandIn(Options(token=TOKEN, events_per_day=300, faults=script)) as standin:
        assert contact.run(standin, "--export", "OPENS", "LISTS", "--json") == 1
        assert len(standin.orders) == orders
    opens, lists = contact.document["exports"]
    assert (opens["state"], lists["state"]) == ("failed", "saved")
    assert sentence in opens["error"]
    assert [one["exportType"] for one in contact.document["profiles"]] == ["LISTS"]
    assert not [file for file in contact.files if file.suffix == ".part"]


def test_a_broken_transfer_is_tried_again(contact: Contact, waits: list[float]) -> None:
    script = FaultScript(rules=(Cut(call="file", at_byte=10), Status(call="status", status=503, times=4)))
    with StandIn(Options(token=TOKEN, events_per_day=300, faults=script)) as standin:
        assert contact.run(standin, "--export", "OPENS") == 0, contact.out
        assert len(standin.orders) == 1


def today(last: str, *, without_offset: int = 100, zone: str = "UTC") -> dict[str, Any]:
    evidence = {"parsed": 100, "withoutOffset": without_offset, "last": last}
    return {
        "exportType": "OPENS",
        "eventTime": [{"field": "opened", "timeZone": zone, "evidence": evidence}],
        "otherTimes": [],
    }


@pytest.mark.parametrize(
    ("last", "zone", "words"),
    [
        ("2026-11-24T15:58Z", "UTC", ["2 min before", "+00:00 or further east", "agrees with UTC"]),
        ("2026-11-24T16:57Z", "UTC", ["57 min after", "+01:00 or further east", "in the future", "timestampTimeZone"]),
        ("2026-11-24T21:29Z", "UTC", ["5 h 29 min after", "+05:30 or further east"]),
        # Printed as 16:57 in a zone that is an hour ahead.
        ("2026-11-24T15:57Z", "Europe/Stockholm", ["57 min after", "agrees with Europe/Stockholm"]),
        ("2026-11-24T11:59Z", "UTC", ["4 h 1 min before", "-04:00 or further east", "if nothing has happened since"]),
    ],
)
def test_the_latest_events_of_today_tell_the_zone(last: str, zone: str, words: list[str]) -> None:
    found = hint(today(last, zone=zone), datetime(2026, 11, 24, 16, 0, 5, tzinfo=UTC), "UTC")
    assert found is not None
    for word in words:
        assert word in found


def test_times_with_an_offset_tell_nothing_of_the_zone() -> None:
    assert hint(today("2026-11-24T15:58Z", without_offset=0), datetime(2026, 11, 24, 16, tzinfo=UTC), "UTC") is None


def test_a_hint_is_given_for_today_alone(contact: Contact, waits: list[float]) -> None:
    naive = {"from": "timestamp", "time": "isoBlank", "timeZone": "Asia/Kolkata"}
    exports = {"SENT": {"fields": {"sentAt": naive}, "drop": ["sentTimestamp"]}}
    shape = shapes.parsed(json.dumps({"exports": exports}).encode())
    with StandIn(Options(token=TOKEN, events_per_day=500, shape=shape)) as standin:
        contact.run(standin, "--export", "SENT", "--period", "TODAY", "LAST_DAY", "--json")
    today, _ = contact.document["profiles"]
    has_enough = bool(today["eventTime"]) and today["eventTime"][0]["evidence"]["parsed"] >= 20
    assert len(contact.document["hints"]) == has_enough


def test_people_see_progress_profiles_and_the_next_step(
    contact: Contact, standin: StandIn, waits: list[float], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SYMPLIFY_TOKEN")
    (tmp_path / "token").write_text(f"{TOKEN}\n")
    assert contact.run(standin, "--export", "HARD_BOUNCES", "--token-file", str(tmp_path / "token")) == 0
    for words in ("HARD_BOUNCES", "ordered", "saved", "bounceDate", "local profile", str(contact.folder)):
        assert words in contact.out


@pytest.mark.parametrize(
    ("words", "url", "status", "sentence"),
    [
        ((), "http://symplify.example/rest", 1, "is not an https address"),
        ((), "https://user:hush@example.invalid/rest", 1, "holds a user name"),
        (("--export", "OPENINGS"), None, 2, "'OPENINGS' is not an export type"),
        (("--period", "MONTH"), None, 2, "'MONTH' is not a period"),
        (("--token-file", "/nowhere"), None, 2, "/nowhere"),
        (("--setting", "nightlyPeriod=TODAY"), None, 2, "nightlyPeriod"),
    ],
)
def test_a_wrong_command_is_one_sentence_and_calls_nobody(
    contact: Contact, standin: StandIn, *, words: tuple[str, ...], url: str | None, status: int, sentence: str
) -> None:
    assert contact.run(standin, *words, url=url) == status
    assert sentence in contact.err
    assert "hush" not in contact.err
    assert standin.calls == []
    assert not contact.folder.exists()


def test_a_wrong_token_is_said_before_anything_is_ordered(
    contact: Contact, standin: StandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SYMPLIFY_TOKEN", "another-token")
    assert contact.run(standin) == 1
    assert "401" in contact.err
    assert "another-token" not in contact.err
    assert standin.orders == []
    monkeypatch.delenv("SYMPLIFY_TOKEN")
    assert contact.run(standin) == 2
    assert "SYMPLIFY_TOKEN" in contact.err


def test_a_folder_of_others_is_refused_and_an_open_one_of_its_own_is_closed(
    contact: Contact, standin: StandIn, waits: list[float]
) -> None:
    contact.folder.mkdir(mode=0o755)
    os.chmod(contact.folder, 0o755)
    assert contact.run(standin, "--export", "LISTS") == 0
    assert stat.S_IMODE(contact.folder.stat().st_mode) == 0o700
    os.chmod(contact.folder, 0o755)
    (contact.folder / "thesis.txt").touch()
    assert contact.run(standin, "--export", "LISTS") == 2
    assert "thesis" not in contact.err
    assert str(contact.folder) in contact.err
    assert stat.S_IMODE(contact.folder.stat().st_mode) == 0o755
