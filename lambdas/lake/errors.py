"""Why an export cannot be loaded. Each text is a sentence for the run's record; raw/ is always kept."""


class Unloadable(Exception):
    """The export cannot be loaded as it is: a retry changes nothing, and nothing was published."""


class Unfinished(Exception):
    """The call is out of time before the export is merged; the checkpoint is stored for the next call."""


class LostLease(Exception):
    """Another run may write this table now, so this one must not."""
