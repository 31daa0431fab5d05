"""The whole product at once: a cloud of its own, ten exports as the rules start them, SQL over the result, a report."""

import shutil
from pathlib import Path
from tempfile import mkdtemp

from rich.console import Console

from local import athena, display, executions, lifecycle, report
from local.lifecycle import UpOptions

NEXT = {
    "Keep a cloud": ".venv/bin/python -m local up",
    "Load a night": ".venv/bin/python -m local nightly",
    "Query it": '.venv/bin/python -m local query "SELECT * FROM campaign_performance"',
    "Stop it": ".venv/bin/python -m local down",
    "Deploy to AWS": "make bootstrap, then make deploy, as README.md describes",
}
"""What to type after the demo."""

QUERIES = {
    "How the latest campaigns did": """
        SELECT campaign_name AS campaign, sent, delivered, clicked, round(100 * click_rate, 1) AS click_percent
        FROM campaign_performance WHERE channel = 'email' ORDER BY last_sent_at DESC, campaign LIMIT 5""",
    "What happened on each day": """
        SELECT dt AS day, sum(sent_events) AS sent, sum(open_events) AS opens, sum(click_events) AS clicks,
               sum(hard_bounce_events) + sum(soft_bounce_events) AS bounces, sum(optout_events) AS opt_outs
        FROM campaign_daily GROUP BY dt ORDER BY dt DESC LIMIT 7""",
    "How fresh the lake is": """
        SELECT export_type, last_outcome, round(hours_since_success, 1) AS hours_since_success,
               round(hours_since_latest_event, 1) AS hours_since_event
        FROM data_freshness ORDER BY export_type""",
    "What each run loaded": """
        SELECT export_type, outcome, rows_read, rows_new, days, ended_at
        FROM export_runs ORDER BY export_type, ended_at""",
}


def demo(home: Path, options: UpOptions, console: Console) -> bool:
    """Show a whole night; return whether every export loaded. Nothing is left running in any case, and a report kept.

    Raises:
        Problem: something did not start, or a query was not answered.
    """
    home.mkdir(parents=True, exist_ok=True)
    own = Path(mkdtemp(dir=home, prefix=lifecycle.DEMO))
    with lifecycle.exclusive_lock(own):
        try:
            has_loaded = _night(own / lifecycle.LAKE, options, console, home / report.FOLDER)
        finally:
            lifecycle.down(own / lifecycle.LAKE)
            shutil.rmtree(own, ignore_errors=True)
    if has_loaded:
        console.print("\nWhat to type next", style="bold")
        display.facts(console, NEXT)
    return has_loaded


def _night(home: Path, options: UpOptions, console: Console, reports: Path) -> bool:
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
    path = report.fetch(running.deployment.stack, running.deployment.bucket, running.cloud.client, reports)
    console.print("\nThe night on one page, to open in a browser", style="bold")
    console.print(str(path), markup=False, emoji=False, highlight=False, soft_wrap=True)
    return True
