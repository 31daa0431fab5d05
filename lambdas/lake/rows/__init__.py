"""Rows: staging, sorted files, and the merge."""
