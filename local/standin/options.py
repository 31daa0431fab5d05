"""The options of the stand-in."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lambdas.vocabulary import EXPORT_TYPES
from local.standin.containers import Container, container
from local.standin.faults import FaultScript
from local.standin.periods import Windows
from local.standin.records import MAX_EVENTS_PER_DAY
from local.standin.shapes import Shape

TOKEN_VARIABLE = "SYMPLIFY_TOKEN"  # noqa: S105 - a variable's name
"""The environment variable that holds the token: the list of processes does not show it."""


@dataclass(frozen=True)
class Options:
    """All options, with defaults that suit tests.

    Raises:
        ValueError: an option makes no sense; the text is a sentence.
    """

    customer_id: str = "1234"
    token: str = field(default="synthetic-token", repr=False)
    api_port: int = 0
    """0 takes a free port."""
    files_port: int = 0
    seed: int = 1
    """Another seed is another account: other campaigns, contacts and events."""
    events_per_day: int = 1000
    """SENT events a day; the other event types follow from them (about 39 % OPENS, 4 % CLICKS)."""
    finish_after_polls: int = 3
    """Which status call of a batch is the first that may say FINISHED."""
    finish_after_seconds: float = 0
    """How long after its order a batch may be FINISHED at the earliest."""
    link_seconds: int = 300
    """How long a signed link is valid."""
    calls_per_minute: int | None = None
    """The rate limit of the account, over all API calls; None is no limit."""
    minute_seconds: float = 60
    """How long the rate limit's minute lasts, so that tests can shorten it."""
    windows: Windows = Windows.ROLLING
    container: str = "array"
    """The container of result files, see `containers.py`."""
    containers: Mapping[str, str] = field(default_factory=dict)
    """Exceptions from `container`, by export type."""
    file_bytes_per_second: int | None = None
    """The file host's pace over all connections; None is unlimited."""
    faults: FaultScript = field(default_factory=FaultScript)
    """Injected faults."""
    shape: Shape = field(default_factory=Shape)
    """What records look like, see docs/shapes.md; its containers come before the two options above."""
    first_batch_id: int = 101111
    """Ids count up from here. A restarted stand-in forgets its batches and reuses the ids."""

    def __post_init__(self) -> None:
        unknown = set(self.containers) - set(EXPORT_TYPES)
        problems = {
            "The customer id is empty or holds a slash.": not self.customer_id or "/" in self.customer_id,
            "The token is empty.": not self.token,
            "A port is between 0 and 65535.": not all(0 <= port <= 65535 for port in (self.api_port, self.files_port)),
            f"The events per day are between 0 and {MAX_EVENTS_PER_DAY}.": (
                not 0 <= self.events_per_day <= MAX_EVENTS_PER_DAY
            ),
            "A batch finishes with its first status call at the earliest.": self.finish_after_polls < 1,
            "A batch cannot finish before its order.": self.finish_after_seconds < 0,
            "A link lasts at least a second.": self.link_seconds < 1,
            "The rate limit allows at least one call a minute.": self.calls_per_minute is not None
            and self.calls_per_minute < 1,
            "A minute lasts longer than nothing.": self.minute_seconds <= 0,
            "The file host sends at least a byte a second.": self.file_bytes_per_second is not None
            and self.file_bytes_per_second < 1,
            f"{', '.join(sorted(unknown))}: no such export type.": bool(unknown),
        }
        for sentence, is_so in problems.items():
            if is_so:
                raise ValueError(sentence)
        for name in (self.container, *self.containers.values()):
            container(name)

    def container_of(self, export_type: str) -> Container:
        """The container that results of an export type come in."""
        return container(self.shape.container_of(export_type) or self.containers.get(export_type, self.container))
