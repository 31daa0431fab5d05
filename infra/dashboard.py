"""The dashboard: freshness, rows, duration and failures per export, what alarms watch, and the calls to Symplify.

An account has three dashboards of up to 50 metrics for free, so what is mostly zero has one line over all exports.
"""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.monitoring import lake_metric
from infra.settings import Settings
from lambdas.vocabulary import EXPORT_TYPES

_PER_EXPORT = (
    ("Hours since the last success", "HoursSinceSuccess", "Maximum"),
    ("Failed runs a day", "Failed", "Sum"),
    ("Rows read a day", "RowsRead", "Sum"),
    ("Seconds a run", "Seconds", "Maximum"),
)
_OVER_ALL = (
    ("Days that no export has covered, at most", "DaysMissing", "Maximum"),
    ("Quarantined records a day", "RowsQuarantined", "Sum"),
)


class Dashboard(Construct):
    """One dashboard with a line per export."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        panels: list[cloudwatch.IWidget] = [
            *(
                _panel(title, [lake_metric(settings, name, how, export) for export in EXPORT_TYPES])
                for title, name, how in _PER_EXPORT
            ),
            *(_panel(title, [lake_metric(settings, name, how)]) for title, name, how in _OVER_ALL),
        ]
        panels.append(
            cloudwatch.GraphWidget(
                title="Calls to Symplify, and those that it rate-limited (429)",
                width=24,
                left=[
                    lake_metric(settings, name, "Sum", period=Duration.minutes(15))
                    for name in ("ApiCalls", "RateLimited")
                ],
            )
        )
        cloudwatch.Dashboard(
            self,
            "Dashboard",
            dashboard_name=settings.stack_name,
            default_interval=Duration.days(14),
            widgets=[panels[:2], panels[2:4], panels[4:6], panels[6:]],
        )


def _panel(title: str, lines: list[cloudwatch.Metric]) -> cloudwatch.GraphWidget:
    return cloudwatch.GraphWidget(title=title, width=12, left=list[cloudwatch.IMetric](lines))
