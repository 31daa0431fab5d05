"""What functions say in figures: lines of the embedded metric format, which CloudWatch makes metrics of.

The embedded cloud does not, so a test reads the lines that the real functions have logged and puts exactly these. It
evaluates an alarm when a metric is put, over the alarm's own period that ends now, and looks at no dimensions.
"""

import json
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from local.cloud import Cloud
from tests.workflow.waiting import until

# Between the moment at which a figure is put and the one at which the alarm's period has left it behind.
_SECONDS = 4.0

Line = dict[str, Any]


@dataclass(frozen=True)
class Figures:
    """The figures of a stack's functions, and its alarms."""

    cloud: Cloud
    stack: str

    def lines(self, function: str) -> list[Line]:
        """All lines that a function has logged so far, the oldest first."""
        configuration = self.cloud.client("lambda").get_function_configuration(FunctionName=f"{self.stack}-{function}")
        pages = (
            self.cloud.client("logs")
            .get_paginator("filter_log_events")
            .paginate(logGroupName=configuration["LoggingConfig"]["LogGroup"])
        )
        texts = [event["message"] for page in pages for event in page["events"]]
        lines = [json.loads(text[text.index("{") :]) for text in texts if '"CloudWatchMetrics"' in text]
        # A function that was started anew writes to another stream, and streams come one after the other.
        return sorted(lines, key=lambda line: int(line["_aws"]["Timestamp"]))

    def lines_after(self, function: str, count: int) -> list[Line]:
        """Wait for what a function logs after so many lines: a call's lines come a moment after its answer."""
        return until(lambda: self.lines(function)[count:], f"{function} has logged nothing new")

    def put(self, lines: list[Line], at: datetime | None = None) -> None:
        """Put what CloudWatch would make of the lines, rolled up over all exports, as if logged at that time."""
        (namespace,) = {_described(line)["Namespace"] for line in lines}
        assert all(["service"] in _described(line)["Dimensions"] for line in lines)
        data = [
            {
                "MetricName": metric["Name"],
                "Dimensions": [{"Name": "service", "Value": line["service"]}],
                "Timestamp": at or datetime.fromtimestamp(line["_aws"]["Timestamp"] / 1000, UTC),
                "Values": line[metric["Name"]],
            }
            for line in lines
            for metric in _described(line)["Metrics"]
        ]
        self.cloud.client("cloudwatch").put_metric_data(Namespace=namespace, MetricData=data)

    def alarm(self, name: str) -> Any:
        """An alarm as it is now."""
        (found,) = self.cloud.client("cloudwatch").describe_alarms(AlarmNames=[f"{self.stack}-{name}"])["MetricAlarms"]
        return found

    def almost_a_period_ago(self, name: str) -> datetime:
        """A time that the alarm still looks at, and in a few seconds no longer does: a day passes in no time."""
        return datetime.now(UTC) - timedelta(seconds=self.alarm(name)["Period"] - _SECONDS)

    def wait_until_past(self, name: str, at: datetime) -> None:
        """Wait until the alarm no longer looks at a time."""
        over = at + timedelta(seconds=self.alarm(name)["Period"] + 0.1)
        time.sleep(max(0.0, (over - datetime.now(UTC)).total_seconds()))


def _described(line: Line) -> Any:
    (described,) = line["_aws"]["CloudWatchMetrics"]
    return described
