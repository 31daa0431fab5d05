"""The view `data_freshness`: what the lake has of each export, and how old it is."""

from lambdas.lake.sql import name as quoted
from lambdas.lake.storage import keys
from lambdas.lake.views.view import BIGINT, DOUBLE, TIMESTAMP, VARCHAR, View, ViewColumn, view

_NOW = "current_timestamp"


def data_freshness() -> View:
    """A row an export type, over the records of its runs."""
    head = f"""WITH runs AS (
  SELECT
    CAST(export_type AS varchar) AS export_type,
    CAST(outcome AS varchar) AS outcome,
    CAST(reason AS varchar) AS reason,
    CAST(ended_at AS timestamp(3)) AS ended_at,
    CASE WHEN CAST(outcome AS varchar) = 'succeeded' THEN CAST(ended_at AS timestamp(3)) END AS succeeded_at,
    CASE WHEN CAST(outcome AS varchar) = 'succeeded' THEN CAST(latest_event AS timestamp(3)) END AS latest_event_at,
    CAST(rows_new AS bigint) AS rows_new
  FROM {quoted(keys.RUNS_TABLE)}
  WHERE export_type IS NOT NULL
), ranked_runs AS (
  SELECT *,
    row_number() OVER (PARTITION BY export_type ORDER BY ended_at DESC NULLS LAST) AS age,
    max(succeeded_at) OVER (PARTITION BY export_type) AS last_success_at
  FROM runs
)
"""
    columns = (
        ViewColumn("export_type", VARCHAR, "The export, as in export_runs"),
        ViewColumn("last_run_at", TIMESTAMP, "When its last run ended (UTC)", "max(ended_at)"),
        ViewColumn(
            "last_outcome",
            VARCHAR,
            "What became of it: succeeded, replayed, failed or undecided",
            "max(CASE WHEN age = 1 THEN outcome END)",
        ),
        ViewColumn("last_reason", VARCHAR, "Why it did not succeed", "max(CASE WHEN age = 1 THEN reason END)"),
        ViewColumn("last_success_at", TIMESTAMP, "When a run last succeeded (UTC)", "max(last_success_at)"),
        ViewColumn("hours_since_success", DOUBLE, "Hours since then", _hours("max(last_success_at)")),
        ViewColumn(
            "failed_since_success",
            BIGINT,
            "Runs without success since then",
            "count(CASE WHEN last_success_at IS NULL OR ended_at > last_success_at THEN 1 END)",
        ),
        ViewColumn(
            "latest_event_at",
            TIMESTAMP,
            "When the latest event of all runs happened (UTC); null for an export whose table has no days",
            "max(latest_event_at)",
        ),
        ViewColumn("hours_since_latest_event", DOUBLE, "Hours since then", _hours("max(latest_event_at)")),
        ViewColumn("rows_new", BIGINT, "Rows that were new in all runs together", "sum(rows_new)"),
    )
    return view(
        "data_freshness",
        "A row an export type: how its last runs went, and how old its latest success and event are.",
        head=head,
        columns=columns,
        tail="FROM ranked_runs\nGROUP BY export_type",
    )


def _hours(moment: str) -> str:
    # Without a zone, a time counts as UTC, and so does now.
    return f"(to_unixtime({_NOW}) - to_unixtime({moment})) / 3600.0e0"
