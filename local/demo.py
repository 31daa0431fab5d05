"""The whole product at once: a cloud of its own, all ten exports as the rules start them, and SQL over the result."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

from local import athena, display, executions, lifecycle
from local.lifecycle import UpOptions

NEXT = {
    "Keep a cloud": ".venv/bin/python -m local up",
    "Load a night": ".venv/bin/python -m local nightly",
    "Query it": '.venv/bin/python -m local query "SELECT dt, count(*) AS opens FROM opens GROUP BY dt ORDER BY dt"',
    "Stop it": ".venv/bin/python -m local down",
    "Deploy to AWS": "make bootstrap, then make deploy, as README.md describes",
}
"""What to type after the demo."""

QUERIES = {
    "What was sent, opened and clicked on each day": """
        SELECT sent.dt AS day, sent.events AS sent, opens.contacts AS opened_by, clicks.contacts AS clicked_by
        FROM (SELECT dt, count(*) AS events FROM sent GROUP BY dt) AS sent
        LEFT JOIN (SELECT dt, count(DISTINCT contact_id) AS contacts FROM opens GROUP BY dt) AS opens
          ON opens.dt = sent.dt
        LEFT JOIN (SELECT dt, count(DISTINCT contact_id) AS contacts FROM clicks GROUP BY dt) AS clicks
          ON clicks.dt = sent.dt
        ORDER BY sent.dt DESC LIMIT 7""",
    "Which campaigns were clicked most": """
        SELECT campaign, count(*) AS clicks, count(DISTINCT contact_id) AS contacts, max(_event_at) AS last_click
        FROM clicks GROUP BY campaign ORDER BY clicks DESC, campaign LIMIT 5""",
    "How many messages bounced, in percent of those sent": """
        SELECT round(100.0 * (SELECT count(*) FROM hard_bounces) / count(*), 2) AS hard,
               round(100.0 * (SELECT count(*) FROM soft_bounces) / count(*), 2) AS soft,
               round(100.0 * (SELECT count(*) FROM optouts) / count(*), 2) AS opted_out
        FROM sent""",
    "What each run loaded": """
        SELECT export_type, outcome, rows_read, rows_new, days, ended_at
        FROM export_runs ORDER BY export_type, ended_at""",
}


def demo(home: Path, options: UpOptions, console: Console) -> bool:
    """Show a whole night; return whether every export loaded. Nothing is left running in any case.

    Raises:
        Problem: something did not start, or a query was not answered.
    """
    home.mkdir(parents=True, exist_ok=True)
    own = Path(mkdtemp(dir=home, prefix=lifecycle.DEMO))
    with lifecycle.exclusive_lock(own):
        try:
            has_loaded = _night(own / lifecycle.LAKE, options, console)
        finally:
            lifecycle.down(own / lifecycle.LAKE)
            shutil.rmtree(own, ignore_errors=True)
    if has_loaded:
        console.print("\nWhat to type next", style="bold")
        display.facts(console, NEXT)
    return has_loaded


def _night(home: Path, options: UpOptions, console: Console) -> bool:
    running = lifecycle.up(home, options, console.print)
    console.print("Starting what the ten nightly rules start\n", style="bold")
    with display.progress(console) as show:
        ended = executions.play(running, executions.rule_inputs(running), show)
    console.print()
    display.results(console, ended)
    if not all(run.succeeded for run in ended):
        return False
    for title, sql in QUERIES.items():
        console.print(f"\n{title}", style="bold")
        display.answer(console, athena.query(running, sql))
    return True
