"""Shares the fault-injection stack of the workflow tests."""

from tests.workflow.conftest import stage

__all__ = ["stage"]
