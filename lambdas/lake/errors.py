"""The ways in which an export cannot be loaded. Each text is a sentence for the run's record; raw is always kept."""


class Unloadable(Exception):
    """The export cannot become rows as it is: trying again changes nothing, and nothing was published."""


class LostLease(Exception):
    """Another run may write this table now, so this one must not."""
