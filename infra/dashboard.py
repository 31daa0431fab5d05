"""The dashboard: freshness, rows, duration and failures per export, and the calls to Symplify."""

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infra.monitoring import lake_metric
from infra.settings import Settings
from lambdas.vocabulary import EXPORT_TYPES

_PANELS = (
    ("Hours since the last success", "HoursSinceSuccess", "Maximum"),
    ("Days that no export has covered", "DaysMissing", "Maximum"),
    ("Rows read a day", "RowsRead", "Sum"),
    ("Seconds a run", "Seconds", "Maximum"),
    ("Failed runs a day", "Failed", "Sum"),
    ("Quarantined records a day", "RowsQuarantined", "Sum"),
)


class Dashboard(Construct):
    """One dashboard with a line per export."""

    def __init__(self, scope: Construct, construct_id: str, settings: Settings) -> None:
        super().__init__(scope, construct_id)
        panels: list[cloudwatch.IWidget] = [
            cloudwatch.GraphWidget(
                title=title,
                width=12,
                left=[lake_metric(settings, name, statistic, export) for export in EXPORT_TYPES],
            )
            for title, name, statistic in _PANELS
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
