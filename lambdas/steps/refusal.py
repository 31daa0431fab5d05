"""What a final no of Symplify's makes of a run."""

from collections.abc import Mapping
from dataclasses import replace

from lambdas.execution import RunState
from lambdas.symplify.answers import BadToken, NoToken, Refused

_NAMES: Mapping[type[Refused], str] = {BadToken: "BadToken", NoToken: "TokenNotSet"}


def refused(state: RunState, answer: Refused) -> RunState:
    """Return the state with outcome `failed` and the sentence."""
    # Named, since it says nothing of the batch: with a good token the next run takes it up again.
    error_name = _NAMES.get(type(answer))
    return replace(state, outcome="failed", wait_seconds=None, reason=answer.reason, error_name=error_name)
