"""The strictest rate limit that is known of: one call a minute, for everything, for the whole account."""

import pytest

from local.standin import Options
from tests.workflow.campaign import Stage, another_vendor

pytestmark = pytest.mark.enable_socket

# The embedded cloud shortens waits to a fiftieth, and so is this minute.
ONE_A_MINUTE = Options(calls_per_minute=1, minute_seconds=60 * 0.02, finish_after_polls=1, events_per_day=20)
EXPORTS = ("LISTS", "OPENS", "CLICKS", "SENT")


def test_exports_at_once_all_finish_though_one_call_a_minute_is_allowed(stage: Stage) -> None:
    with another_vendor(stage, ONE_A_MINUTE) as strict:
        started = [strict.start(exportType=export, period="LAST_DAY") for export in EXPORTS]
        ended = [strict.wait(arn) for arn in started]

        assert [(run.status, run.cause) for run in ended] == [("SUCCEEDED", "")] * len(EXPORTS)
        refused = [call for call in strict.standin.calls if call.status == 429]
        assert refused
        assert len(strict.standin.orders) == len(EXPORTS)
