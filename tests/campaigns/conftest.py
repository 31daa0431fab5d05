"""The campaign's stack is that of the bad nights, whose vendor a test has in its hand."""

from tests.workflow.conftest import stage

__all__ = ["stage"]
