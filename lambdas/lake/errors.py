"""The ways in which an export cannot be loaded. Each text is a sentence for the run's record; raw is always kept."""


class Unloadable(Exception):
    """The export cannot become rows as it is: trying again changes nothing, and nothing was published."""


class Unfinished(Exception):
    """The call's time is over before the export is merged. What was merged is kept for the next call."""


class LostLease(Exception):
    """Another run may write this table now, so this one must not."""
