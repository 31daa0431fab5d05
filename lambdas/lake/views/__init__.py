"""Views: what analysts ask, over the tables as their profiles take them. Written in the dialect of Trino (Athena)."""
