"""Metrics that the functions log in the embedded metric format (EMF).

The embedded cloud does not extract them as CloudWatch does, so a test reads the logged lines and puts exactly these. It
evaluates an alarm when a metric is put, over the alarm's period until now, and ignores dimensions.
"""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.cloud import Cloud
from tests.workflow.waiting import until

# From putting a datapoint until it is outside the alarm's period.
_SECONDS = 4.0

Line = dict[str, Any]


@dataclass(frozen=True)
class EmfMetrics:
    """The logged metrics of a stack's functions, and its alarms."""

    cloud: Cloud
    stack: str

    def lines(self, function: str) -> list[Line]:
        """All EMF lines that a function has logged so far, oldest first."""
        configuration = self.cloud.client("lambda").get_function_configuration(FunctionName=f"{self.stack}-{function}")
        pages = (
            self.cloud.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=configuration["LoggingConfig"]["LogGroup"])
        )
        texts = [event["message"] for page in pages for event in page["events"]]
        lines = [json.loads(text[text.index("{") :]) for text in texts if '"CloudWatchMetrics"' in text]
        # A cold start begins a new log stream, and events are listed by stream.
        return sorted(lines, key=lambda line: int(line["_aws"]["Timestamp"]))

    def lines_after(self, function: str, count: int) -> list[Line]:
        """Wait for lines after the first `count`: they arrive shortly after a call's response."""
        return until(lambda: self.lines(function)[count:], f"{function} has logged nothing new")

    def put(self, lines: list[Line], *alarms: str, at: datetime | None = None) -> None:
        """Put the metrics of the lines as CloudWatch would, rolled up over all exports, as if logged at that time.

        Only those of these alarms: what the lines say of other tests' runs would change the state of other alarms.
        """
        names = {self.alarm(alarm)["MetricName"] for alarm in alarms}
        (namespace,) = {_directive(line)["Namespace"] for line in lines}
        assert all(["service"] in _directive(line)["Dimensions"] for line in lines)
        data = [
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": "service", "Value": line["service"]}],
                "Timestamp": at or datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC),
                "Values": line[metric["Name"]],
            }
            for line in lines
            for metric in _directive(line)["Metrics"]
            if metric["Name"] in names
        ]
        assert {datum["MetricName"] for datum in data} == names
        self.cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

    def alarm(self, name: str) -> Any:
        """The current description of an alarm."""
        (found,) = self.cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{self.stack}-{name}"])["MetricAlarms"]
        return found

    def almost_a_period_ago(self, name: str) -> datetime:
        """A time that leaves the alarm's period in a few seconds."""
        return datetime.now(UTC) - timedelta(seconds=self.alarm(name)["Period"] - _SECONDS)

    def wait_until_past(self, name: str, at: datetime) -> None:
        """Wait until a time is outside the alarm's period."""
        over = at + timedelta(seconds=self.alarm(name)["Period"] + 0.1)
        time.sleep(max(0.0, (over - datetime.now(UTC)).total_seconds()))


def _directive(line: Line) -> Any:
    (directive,) = line["_aws"]["CloudWatchMetrics"]
    return directive
