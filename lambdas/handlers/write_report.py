"""write_report: the morning report, when a night is over. Nothing waits for it, and its failure fails no load."""

from datetime import UTC, datetime
from typing import Any

from lambdas.handlers import athena, clients, executions
from lambdas.handlers.entrypoint import logger
from lambdas.lake.storage import keys
from lambdas.lake.views.recent import campaign_query, day_query, week_query
from lambdas.report.exports import LOOK_BACK, ExportState
from lambdas.report.numbers import campaigns, channels, found_share, unknown_sends, weeks
from lambdas.report.page import Report, page
from lambdas.vocabulary import EXPORT_TYPES

# While the function starts, when it has a whole processor, and not in its first call.
clients.s3()
clients.glue()
clients.athena()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Write the report, unless the event is a run's end and others still run: the last one's end comes too.

    Returns the object's `key`, or how many runs are `running`.
    """
    running = executions.running() if event.get("source") == "aws.states" else 0
    if running:
        return {"running": running}
    now = datetime.now(UTC)
    key = keys.report(f"{now:%Y-%m-%d}")
    clients.store().write(key, page(_report(now)).encode(), "text/html; charset=utf-8")
    logger.info("written", extra={"key": key})
    return {"key": key}


def _report(now: datetime) -> Report:
    settings, today = clients.settings(), now.date()
    lake = athena.lake()
    week, days, latest = athena.answers(lake, (week_query, day_query, campaign_query), today)
    return Report(
        stack=settings.stack_name,
        now=now,
        exports=tuple(
            ExportState(
                export,
                name in settings.watched_exports,
                lake.tables[export.table].profile if export.table in lake.tables else None,
                clients.ledger(export).runs(now - LOOK_BACK),
                now,
            )
            for name, export in EXPORT_TYPES.items()
        ),
        weeks=weeks(week.rows),
        channels=channels(days.rows, lake.tables, today, lake.first_day),
        campaigns=campaigns(latest.rows),
        unknown_sends=unknown_sends(week.rows),
        first_day=lake.first_day,
        found_share=found_share(days.rows),
        unknown=tuple(dict.fromkeys(one.unknown for one in (week, days, latest) if one.unknown)),
    )
