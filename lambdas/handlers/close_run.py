"""close_run: the run's record, the watermark, the lease; the last step of every run, failed or not."""

from datetime import UTC, datetime
from typing import Any

from lambdas.execution import Execution, RunState
from lambdas.handlers import clients, topic
from lambdas.handlers.entrypoint import logger, run_step
from lambdas.handlers.notify import notify
from lambdas.lake.views.renew import renew_views
from lambdas.outcome import Outcome
from lambdas.steps.alert import view_message
from lambdas.steps.close_run import CloseDependencies, close_run, close_unknown
from lambdas.vocabulary import UnknownName

# While the function starts, when it has a whole processor, and not in its first call.
clients.s3()
clients.glue()


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Close the run, notify, and renew the views."""
    return run_step("close_run", event, _close_and_notify)


def _close_and_notify(state: RunState, run: Execution) -> RunState:
    closed = _close(state, run)
    notify(closed, before=state, run=run, now=datetime.now(UTC))
    if closed.outcome == Outcome.SUCCEEDED:
        _renew_views(run)
    return closed


def _renew_views(run: Execution) -> None:
    """Write the views that the run's table has changed; if that fails, the run has succeeded all the same."""
    now = datetime.now(UTC)
    try:
        settings = clients.settings()
        written = renew_views(
            clients.glue(),
            settings.database,
            has_engagement=settings.contact_engagement,
            machine_click_seconds=settings.machine_click_seconds,
        )
    except Exception as error:
        logger.exception("views not written")
        if clients.notifications().claim_notification("ViewNotWritten", f"{now:%Y-%m-%d}", run.arn, now):
            topic.publish(view_message(error, run, topic.place()))
    else:
        logger.info("views renewed", extra={"views": written})


def _close(state: RunState, run: Execution) -> RunState:
    try:
        export = state.export
    except UnknownName:
        return close_unknown(state)
    dependencies = CloseDependencies(clients.ledger(export), clients.store(), clients.catalog(), clients.landing())
    return close_run(state, run, dependencies, settings=clients.settings(), now=datetime.now(UTC))
