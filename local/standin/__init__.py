"""A stand-in for Symplify: its export API and its file host as real HTTP servers on loopback, with synthetic data.

In a test:

    with StandIn(Options(events_per_day=200), clock=ManualClock(datetime(2026, 11, 24, 3, tzinfo=UTC))) as standin:
        ...  # standin.base_url, standin.files_url, standin.orders, standin.calls

As a process: `SYMPLIFY_TOKEN=… python -m local.standin --customer-id 1234`.
"""

from local.standin.clock import ManualClock
from local.standin.journal import CallRecord
from local.standin.options import Options
from local.standin.standin import PortInUse, StandIn

__all__ = ["CallRecord", "ManualClock", "Options", "PortInUse", "StandIn"]
