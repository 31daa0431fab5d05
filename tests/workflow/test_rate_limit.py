"""The strictest known rate limit: one call a minute for the whole account."""

import pytest

from local.standin import Options
from tests.workflow.campaign import Stage, other_standin

pytestmark = pytest.mark.enable_socket

# The embedded cloud shortens waits to a fiftieth, so the minute is scaled alike. As many events a day as the stage has,
# since the records of another world would contradict its tables; the longest period, since one click decides nothing.
ONE_A_MINUTE = Options(calls_per_minute=1, minute_seconds=60 * 0.02, finish_after_polls=1, events_per_day=30)
EXPORTS = ("LISTS", "OPENS", "CLICKS", "SENT")


def test_concurrent_exports_all_finish_at_one_call_per_minute(stage: Stage) -> None:
    with other_standin(stage, ONE_A_MINUTE) as limited:
        started = [limited.start(exportType=export, period="LAST_2_WEEKS") for export in EXPORTS]
        ended = [limited.wait(arn) for arn in started]

        assert [(run.status, run.cause) for run in ended] == [("SUCCEEDED", "")] * len(EXPORTS)
        refused = [call for call in limited.standin.calls if call.status == 429]
        assert refused
        assert len(limited.standin.orders) == len(EXPORTS)
