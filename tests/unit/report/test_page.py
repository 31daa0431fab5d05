"""The page: what it shows, and that it loads nothing, runs nothing and names nobody."""

from datetime import timedelta
from html.parser import HTMLParser

import pytest

from lambdas.lake.views.sources import EVENT_TYPES
from lambdas.report.exports import ExportState
from lambdas.report.numbers import campaigns, channels, found_share, unknown_sends, weeks
from lambdas.report.page import hours, number, page, percent
from lambdas.vocabulary import EXPORT_TYPES
from tests.unit.report.reports import DAYS, NOW, RUN, campaign, report


class Words(HTMLParser):
    """The words of a page, and its elements with their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return " ".join(self.words)


def test_a_good_night_is_said_in_one_sentence_and_a_bad_one_names_the_exports_with_their_reasons() -> None:
    assert "Every export that is switched on succeeded" in Words(page(report())).text
    bad = [ExportState(EXPORT_TYPES["OPENS"], True, None, [RUN | {"outcome": "failed", "reason": "It broke."}], NOW)]
    text = Words(page(report(exports=(*report().exports[:2], *bad)))).text
    assert "1 of 3 exports need somebody: OPENS (failed)" in text
    assert "It broke." in text
    assert "opens There is no table yet." in text


def test_numbers_of_the_week_stand_beside_those_of_the_week_before() -> None:
    text = Words(page(report())).text
    assert "sent 1,234 – before" in text
    assert "opted out 1,234 – before" in text


def test_every_chart_is_described_and_has_its_numbers_in_a_table() -> None:
    found = Words(page(report()))
    charts = [attributes for tag, attributes in found.elements if tag == "svg"]
    assert len(charts) == 2 * 5
    assert "sent over email, a column a day from 2026-10-30 to 2026-11-26: 1,200 in all, at most 1,200" in str(
        charts[0]
    )
    details = [attributes["aria-details"] for tag, attributes in found.elements if tag == "figure"]
    ids = {attributes.get("id") for _, attributes in found.elements}
    assert set(details) <= ids
    assert "2026-11-26 1,200 0 0 7 0" in found.text
    assert "2026-11-25 9 0 0 0 0" in found.text


def test_a_table_that_is_not_there_is_said_and_is_no_zero() -> None:
    shown = channels(DAYS, {"sent"}, NOW.date())
    text = Words(page(report(channels=shown))).text
    assert text.count("The lake has no table of them.") == 2 * 4
    assert "2026-11-26 1,200 – – – –" in text


def test_the_share_of_events_that_find_their_send_leaves_out_the_sends() -> None:
    assert found_share(DAYS) == pytest.approx(6 / 7)
    assert found_share(DAYS[:1]) is None
    assert "Of all opens, clicks, bounces and opt-outs, 85.7 % find their send" in Words(page(report())).text


def test_what_cannot_be_known_of_a_campaign_is_a_dash_with_its_reason() -> None:
    rows = [campaign(opened=None, open_rate=None, why_null="the table opens is not there")]
    text = Words(page(report(campaigns=campaigns(rows)))).text
    assert "Spring 2026-11-26 5 5 25.0 % – – 5 25.0 %" in text
    assert "– because the table opens is not there" in text


def test_a_question_without_an_answer_is_said_and_the_rest_stands() -> None:
    text = Words(page(report(unknown=("Athena is away.",), weeks=weeks([]), campaigns=()))).text
    assert "Athena is away." in text
    assert "sent – – before" in text
    assert "No campaign was sent in these days" in text


def test_the_page_loads_nothing_and_runs_nothing_whatever_a_campaign_is_called() -> None:
    name = '<script src="https://evil.example.com/x.js"></script><img src=x onerror=alert(1)>'
    text = page(report(campaigns=campaigns([campaign(campaign_name=name)])))
    found = Words(text)
    assert name in found.text
    assert not {"script", "img", "iframe", "object", "embed", "form"} & {tag for tag, _ in found.elements}
    policies = [one["content"] for tag, one in found.elements if one.get("http-equiv") == "Content-Security-Policy"]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'; img-src data:"]
    addresses = {one[name] for _, one in found.elements for name in ("src", "href", "xlink:href") if name in one}
    assert addresses == {"data:,"}
    assert "@import" not in text
    assert "url(" not in text


def test_days_before_the_lake_are_no_zeros() -> None:
    found = Words(page(report(channels=channels(DAYS, set(EVENT_TYPES.values()), NOW.date(), "2026-11-20"))))
    assert "2026-11-19 – – – – – 2026-11-20 0 0 0 0 0" in found.text
    assert "The lake begins on 2026-11-20." in found.text
    assert len([tag for tag, _ in found.elements if tag == "svg"]) == 2 * 5


def test_sends_of_which_not_all_is_known_are_said_beside_the_weeks_numbers() -> None:
    rows = [{"week": "week", "unknown_sends": "131"}, {"week": "week_before", "unknown_sends": "7"}]
    assert unknown_sends(rows) == 131
    assert "Of 131 of these sends not all is known" in Words(page(report(unknown_sends=131))).text
    assert "not all is known" not in Words(page(report())).text


def test_the_same_report_is_the_same_page() -> None:
    assert page(report()) == page(report())


def test_numbers_are_written_for_people() -> None:
    assert (number(1234567), number(0), number(None)) == ("1,234,567", "0", "–")
    assert (percent(0.12345), percent(0.0), percent(None)) == ("12.3 %", "0.0 %", "–")
    assert [hours(value) for value in (0.2, 47.94, 48, None)] == ["12 min", "47.9 h", "2.0 days", "–"]


def test_a_report_of_an_empty_lake_is_a_page() -> None:
    nothing = tuple(ExportState(one, True, None, [], NOW) for one in EXPORT_TYPES.values())
    text = Words(page(report(exports=nothing, weeks=weeks([]), channels=channels([], (), NOW.date()), campaigns=())))
    assert "10 of 10 exports need somebody" in text.text


def test_a_campaign_of_another_channel_or_of_many_days_says_so() -> None:
    rows = [campaign(channel="sms", first_dt=str((NOW - timedelta(days=9)).date()), campaign_name=None)]
    assert "7 sms 2026-11-26 since 2026-11-18" in Words(page(report(campaigns=campaigns(rows)))).text
