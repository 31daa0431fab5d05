"""What the vendor's words for a batch's status mean: some are built in, others are chosen by a setting."""

from collections.abc import Mapping

from lambdas.symplify.answers import BatchState

BUILT_IN = {
    "PENDING": BatchState.RUNNING,
    "IN_PROGRESS": BatchState.RUNNING,
    "FINISHED": BatchState.FINISHED,
    # Seen by public clients on import batches.
    "ERROR": BatchState.FAILED,
}


def word(status: object) -> str:
    """The word of a status. The vendor's own example has stray blanks in the values."""
    return str(status).strip().upper()


def meanings(chosen: Mapping[str, str]) -> Mapping[str, BatchState]:
    """The state that each known word stands for; `chosen` adds words and never changes a built-in one."""
    return {word(status): BatchState(state) for status, state in chosen.items()} | BUILT_IN
