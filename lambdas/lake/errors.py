"""Why an export cannot be loaded. Each text is a sentence for the run's record; raw/ is always kept."""


class Unloadable(Exception):
    """The export cannot be loaded as it is: a retry changes nothing, and nothing was published."""


class Undecided(Unloadable):
    """The records do not say what their fields are: nothing was published, and a setting or a later export decides."""


class Contradiction(Unloadable):
    """The export and the table disagree where both cover the same time: nothing was published."""

    def __init__(self, sentence: str, *, is_inflated: bool = False) -> None:
        """`is_inflated`: the export alone is to blame, since it has rows too often."""
        super().__init__(sentence)
        self.is_inflated = is_inflated


class Unfinished(Exception):
    """The call is out of time before the export is merged; the checkpoint is stored for the next call."""


class LostLease(Exception):
    """Another run may write this table now, so this one must not."""


class ViewNotWritten(Exception):
    """A view stays as it is, or is missing; the tables and their rows are not touched by it."""
