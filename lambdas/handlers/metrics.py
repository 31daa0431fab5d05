"""Metrics as log lines in CloudWatch's embedded metric format, which need no call.

Every metric of an export is emitted twice: for that export, and over all exports, which is what alarms watch. A metric
is billed for the hours in which it is sent, so a nightly one costs a twenty-fourth of a constant one.
"""

import os
from collections.abc import Mapping
from typing import Any

import urllib3
from aws_lambda_powertools import Metrics
from aws_lambda_powertools.metrics import MetricUnit

_UNITS = {"Seconds": MetricUnit.Seconds}


def emit(values: Mapping[str, float], export: str | None = None) -> None:
    """Emit the values over all exports, and for one export if it is named."""
    metrics = Metrics()
    for name, value in values.items():
        metrics.add_metric(name, _UNITS.get(name, MetricUnit.Count), value)
    if export is not None:
        metrics.add_dimensions(service=os.environ["POWERTOOLS_SERVICE_NAME"], Export=export)
    metrics.flush_metrics()


class CountedCalls(urllib3.PoolManager):
    """Connections to Symplify that count its calls; urllib3's own retries within a call are not counted."""

    def request(self, *args: Any, **options: Any) -> Any:
        """Send the request, and count it."""
        _counted["ApiCalls"] += 1
        response = super().request(*args, **options)
        _counted["RateLimited"] += response.status == 429
        return response


_counted = {"ApiCalls": 0, "RateLimited": 0}


def emit_calls() -> None:
    """Emit how often Symplify was called since the last time, unless it was not."""
    if _counted["ApiCalls"]:
        emit(_counted)
        _counted.update(dict.fromkeys(_counted, 0))
