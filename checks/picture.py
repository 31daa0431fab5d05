"""`python -m checks.picture REPORT.html`: write docs/report.png, the picture of a morning report for the README."""

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parent.parent
PICTURE = ROOT / "docs" / "report.png"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")

_WIDTH, _HEIGHT = 1120, 1300


def browser_options() -> dict[str, Any]:
    """How the machine's own browser is started, which looks nothing up by itself.

    Raises:
        SystemExit: there is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        sys.exit(f"There is no browser: one of {', '.join(BROWSERS)} is needed (on Debian: apt install chromium).")
    # A browser that root starts has no sandbox; the page is ours, and has no script.
    words = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking", "--disable-sync"]
    return {"executable_path": found, "args": [*words, "--no-first-run", "--disable-component-update"]}


def main(arguments: Sequence[str]) -> None:
    """Take the picture of the report at that path: the part that a screen shows."""
    (report,) = arguments
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**browser_options())
        page = browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT}, color_scheme="light")
        page.goto(Path(report).resolve().as_uri())
        page.screenshot(path=PICTURE)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
