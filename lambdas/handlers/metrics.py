"""Metrics as lines in the log (CloudWatch's embedded metric format), which cost no call.

Every figure of an export is kept twice: for that export, and rolled up over all, which is what alarms look at. A metric
is paid for by the hour in which it is sent, so figures of a night cost a twenty-fourth of what they seem to.
"""

import os
from collections.abc import Mapping
from typing import Any

import urllib3
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

_UNITS = {"Seconds": MetricUnit.Seconds}


def emit(values: Mapping[str, float], export: str | None = None) -> None:
    """Write the values: rolled up, and for the export if one is named."""
    metrics = Metrics()
    for name, value in values.items():
        metrics.add_metric(name, _UNITS.get(name, MetricUnit.Count), value)
    if export is not None:
        metrics.add_dimensions(service=os.environ["POWERTOOLS_SERVICE_NAME"], Export=export)
    metrics.flush_metrics()


class CountedCalls(urllib3.PoolManager):
    """Connections to Symplify that count what is asked of it; tries of urllib3's own within a call are not counted."""

    def request(self, *args: Any, **options: Any) -> Any:
        """Ask, and count."""
        _counted["ApiCalls"] += 1
        response = super().request(*args, **options)
        _counted["RateLimited"] += response.status == 429
        return response


_counted = {"ApiCalls": 0, "RateLimited": 0}


def emit_calls() -> None:
    """Write how often Symplify was called since the last time, if it was."""
    if _counted["ApiCalls"]:
        emit(_counted)
        _counted.update(dict.fromkeys(_counted, 0))
