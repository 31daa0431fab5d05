"""`python -m local reconcile`: what agrees between the vendor's screen and the lake, and why the rest does not."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from local import cli
from local.lifecycle import Running
from local.problem import Misused
from local.reconcile.campaign import campaign
from local.reconcile.judge import NUMBERS, Channel, Export, judge
from tests.conftest import local
from tests.unit.views.lakes import Lake, event, sends

SENT_AT = datetime(2026, 11, 1, 10, tzinfo=UTC)
EMAIL = Channel(
    "email",
    {
        "sent": 100,
        "delivered": 90,
        "bounced": 10,
        "hard_bounced": 4,
        "soft_bounced": 6,
        "opened": 50,
        "opened_without_machines": 45,
        "clicked": 20,
        "clicked_without_machines": 18,
        "opted_out": 3,
        "opens": 80,
        "clicks": 31,
    },
    last_sent_at=SENT_AT,
)
SMS = Channel("sms", {"sent": 7, "delivered": 7, "clicked": 2}, last_sent_at=SENT_AT)
LOADED = Export("succeeded", None, SENT_AT + timedelta(days=26))
YOUNG = Export("succeeded", None, SENT_AT + timedelta(days=1))
EXPORTS = {export: LOADED for needed in NUMBERS.values() for export in needed}
BEGAN = replace(EMAIL, began_before_lake=True)
ORPHANS = replace(EMAIL, orphans=12)
UNKNOWN = replace(EMAIL, counts={**EMAIL.counts, "opened": None}, why_null="opens: 3 of 9 find their send")
FAILED, UNDECIDED = Export("failed", "Symplify refused."), Export("undecided")

NUMBERS_AND_REASONS: dict[str, tuple[str, int, Channel, dict[str, Export], list[str]]] = {
    "equal": ("sent", 100, BEGAN, EXPORTS, []),
    "unlike, and nothing explains it": ("sent", 101, EMAIL, EXPORTS, []),
    "fewer than the lake has": ("opened", 49, ORPHANS, EXPORTS | {"OPENS": FAILED}, []),
    "sent without bounces": ("sent", 90, EMAIL, EXPORTS, ["sent less bounced is 90"]),
    "delivered before bounces": ("delivered", 100, EMAIL, EXPORTS, ["before bounces"]),
    "total opens": ("opened", 80, EMAIL, EXPORTS, ["every open"]),
    "opens without machines": ("opened", 45, EMAIL, EXPORTS, ["leaves machines out"]),
    "total clicks": ("clicked", 31, EMAIL, EXPORTS, ["every click"]),
    "hard bounces alone": ("bounced", 4, EMAIL, EXPORTS, ["hard bounces alone"]),
    "soft bounces alone": ("bounced", 6, EMAIL, EXPORTS, ["soft bounces alone"]),
    "channels together": ("sent", 107, EMAIL, EXPORTS, ["with sms it is 107"]),
    "an equal number is reason enough": ("delivered", 100, BEGAN, EXPORTS, ["before bounces"]),
    "a campaign from before the lake": ("sent", 200, BEGAN, EXPORTS, ["before the lake's first day"]),
    "orphans": ("clicked", 25, ORPHANS, EXPORTS, ["12 of its events find no send"]),
    "sends are no orphans": ("sent", 105, ORPHANS, EXPORTS, []),
    "a failed export": ("opted_out", 5, EMAIL, EXPORTS | {"OPTOUTS": FAILED}, ["OPTOUTS is failed: Symplify refused"]),
    "an undecided export": ("opened", 55, EMAIL, EXPORTS | {"OPENS": UNDECIDED}, ["OPENS is undecided"]),
    "another export's failure": ("opened", 55, EMAIL, EXPORTS | {"OPTOUTS": FAILED}, []),
    "no run": ("opted_out", 5, EMAIL, {}, ["no run of OPTOUTS"]),
    "bounces that lack": ("delivered", 88, EMAIL, EXPORTS | {"SOFT_BOUNCES": FAILED}, ["SOFT_BOUNCES is failed"]),
    "a young campaign": ("opted_out", 5, EMAIL, EXPORTS | {"OPTOUTS": YOUNG}, ["as of 2026-11-02 10:00 UTC"]),
    "what the lake cannot know": ("opened", 50, UNKNOWN, EXPORTS, ["3 of 9 find their send"]),
}


@pytest.mark.parametrize("case", NUMBERS_AND_REASONS)
def test_a_difference_has_the_reasons_that_the_lake_supports_and_no_others(case: str) -> None:
    name, number, channel, exports, reasons = NUMBERS_AND_REASONS[case]

    (found,) = judge({name: number}, channel, [SMS], exports)

    assert len(found.reasons) == len(reasons), found.reasons
    for reason, said in zip(reasons, found.reasons, strict=True):
        assert reason in said
    assert found.agrees == (case == "equal")


def test_a_difference_says_by_how_much() -> None:
    more, fewer = judge({"sent": 103, "opted_out": 1}, EMAIL, [], EXPORTS)

    assert "3 more" in more.words
    assert "2 fewer" in fewer.words
    assert more.described()["difference"] == 3


def as_athena(lake: Lake, sql: str) -> list[dict[str, Any]]:
    """Rows as `local.athena` gives them: times as texts."""
    return [
        {name: str(value) if isinstance(value, datetime) else value for name, value in row.items()}
        for row in lake.query(sql)
    ]


@pytest.fixture
def lake() -> Lake:
    lake = Lake()
    named = [{**send, "campaign": "Summer's sale"} for send in sends("k1", "k2", campaign="17")]
    lake.add("sent", [*named, *sends("k1", campaign="18"), event("k1", "17", "2026-11-20 10:00:00", channel="SMS")])
    lake.add("hard_bounces", [event("k2", "17", "2026-11-20 10:05:00")])
    return lake


@pytest.mark.parametrize("wanted", ["17", "summer's SALE"])
def test_a_campaign_is_found_by_its_id_or_name(lake: Lake, wanted: str) -> None:
    found = campaign(lambda sql: as_athena(lake, sql), wanted)

    email = found.channel(None)
    assert (found.id, email.name, email.counts["sent"], email.counts["hard_bounced"]) == ("17", "email", 2, 1)
    assert email.last_sent_at is not None
    assert found.channel("sms").counts["sent"] == 1


@pytest.mark.parametrize(
    ("wanted", "words"), [("Sumer's sale", "nearest are: Summer's sale"), ("???", "The latest are: ")]
)
def test_an_unknown_campaign_is_answered_by_those_that_there_are(lake: Lake, wanted: str, words: str) -> None:
    with pytest.raises(Misused, match=words):
        campaign(lambda sql: as_athena(lake, sql), wanted)


def test_a_name_of_several_campaigns_is_answered_by_their_ids(lake: Lake) -> None:
    lake.add("sent", [{**event("k1", "19", "2026-11-20 10:00:00"), "campaign": "Summer's sale"}])

    with pytest.raises(Misused, match="ids 17, 19"):
        campaign(lambda sql: as_athena(lake, sql), "Summer's sale")


def test_an_unknown_channel_is_answered_by_those_that_there_are(lake: Lake) -> None:
    with pytest.raises(Misused, match="It has: email, sms"):
        campaign(lambda sql: as_athena(lake, sql), "17").channel("push")


@pytest.mark.parametrize("words", [["17"], ["17", "--sent", "-1"], ["17", "--sent", "1,000"], ["--sent", "1"]])
def test_a_wrong_command_line_is_misuse(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["reconcile", *words]) == 2
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_the_command_compares_a_campaign_of_a_running_lake(cloud_home: Path, running: Running) -> None:
    assert local("run", "SENT", home=cloud_home).returncode == 0
    sql = "SELECT campaign, sent FROM campaign_performance ORDER BY sent DESC, campaign LIMIT 1"
    (row,) = json.loads(local("query", sql, "--json", home=cloud_home).stdout)

    equal = local("reconcile", row["campaign"], "--sent", str(row["sent"]), home=cloud_home)
    unlike = local("reconcile", row["campaign"], "--sent", str(row["sent"] + 2), "--json", home=cloud_home)
    unknown = local("reconcile", "no such campaign", "--sent", "1", home=cloud_home)

    assert (equal.returncode, unlike.returncode, unknown.returncode) == (0, 1, 2), equal.stderr + unlike.stderr
    assert f"{row['sent']} in both" in equal.stdout
    assert json.loads(unlike.stdout)["numbers"][0]["difference"] == 2
    assert "The lake has no campaign" in unknown.stderr
