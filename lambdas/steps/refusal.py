"""What a final no of Symplify's makes of a run."""

from dataclasses import replace

from lambdas.run import RunState
from lambdas.symplify.outcomes import BadToken, Refused


def refused(state: RunState, answer: Refused) -> RunState:
    """Return the state with outcome `failed` and the sentence."""
    # Named, since it says nothing of the batch: with a good token the next run takes it up again.
    error_name = "BadToken" if isinstance(answer, BadToken) else None
    return replace(state, outcome="failed", wait_seconds=None, reason=answer.reason, error_name=error_name)
