"""The morning report in a real browser: drawn, silent, and usable by everybody."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from checks.picture import BROWSERS, ROOT, browser_options
from lambdas.report.page import page as written
from tests.unit.report.reports import full_report

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
DESKTOP, PHONE = {"width": 1280, "height": 900}, {"width": 360, "height": 740}

pytestmark = [
    pytest.mark.xdist_group("browser"),
    pytest.mark.skipif(
        "CI" not in os.environ and not any(map(shutil.which, BROWSERS)),
        reason=f"needs a browser: one of {', '.join(BROWSERS)} (on Debian: apt install chromium)",
    ),
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(**browser_options())
        yield started
        started.close()


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(written(full_report()))
    return path.as_uri()


def opened(browser: Browser, address: str, **options: Any) -> Page:
    shown = browser.new_context(**{"viewport": DESKTOP, **options}).new_page()
    shown.goto(address)
    return shown


def test_it_asks_nobody_for_anything_and_reports_no_error(browser: Browser, address: str) -> None:
    shown = browser.new_context().new_page()
    requests: list[str] = []
    complaints: list[str] = []
    shown.on("request", lambda request: requests.append(request.url))
    shown.on("console", lambda message: complaints.append(message.text))
    shown.on("pageerror", lambda error: complaints.append(str(error)))
    shown.goto(address, wait_until="load")
    assert [one for one in requests if not one.startswith("data:")] == [address]
    assert complaints == []


def test_every_chart_has_a_column_a_day_of_the_right_height(browser: Browser, address: str) -> None:
    shown = opened(browser, address)
    charts = shown.locator("figure svg")
    # Two channels with four series that the lake has.
    assert charts.count() == 8
    for chart in charts.all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 200
        columns = chart.locator(".series rect")
        heights = [float(column.get_attribute("height") or 0) for column in columns.all()]
        assert len(heights) == 28
        # The events of a day rise and fall by 3 to 9 within a week.
        assert heights[6] / heights[0] == pytest.approx(3)
        assert columns.first.evaluate("one => getComputedStyle(one).fill") == "rgb(10, 102, 183)"


def test_the_numbers_behind_a_chart_are_reached_by_the_keyboard(browser: Browser, address: str) -> None:
    shown = opened(browser, address)
    assert not shown.locator("table.days").first.is_visible()
    shown.locator("summary").first.focus()
    shown.keyboard.press("Enter")
    assert shown.locator("table.days").first.is_visible()
    shown.keyboard.press("Tab")
    assert shown.evaluate("document.activeElement.getAttribute('aria-label')") == "Numbers of each day over email"


@pytest.mark.parametrize(("colours", "viewport"), [("light", DESKTOP), ("dark", PHONE)], ids=["light", "dark-phone"])
def test_a_checker_of_accessibility_finds_nothing(browser: Browser, address: str, colours: str, viewport: Any) -> None:
    """Contrast, names, headings, tables, what can be scrolled: by the rules of axe."""
    shown = opened(browser, address, color_scheme=colours, viewport=viewport, bypass_csp=True)
    shown.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    shown.add_script_tag(path=AXE)
    found = shown.evaluate("axe.run()")
    assert found["passes"]
    assert [(one["id"], one["nodes"][0]["html"][:200]) for one in found["violations"]] == []


def test_a_phone_scrolls_tables_and_never_the_page(browser: Browser, address: str) -> None:
    shown = opened(browser, address, viewport=PHONE)
    shown.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
    assert shown.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    assert shown.evaluate("document.querySelector('.campaigns').parentElement.scrollWidth") > PHONE["width"]


def test_dark_mode_is_dark_and_paper_is_white(browser: Browser, address: str) -> None:
    shown = opened(browser, address, color_scheme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    assert shown.evaluate(background) == "rgb(15, 20, 25)"
    shown.emulate_media(media="print")
    assert shown.evaluate(background) == "rgb(255, 255, 255)"
