"""The morning report: a page of aggregates for people who know no SQL. Nothing here knows AWS."""
