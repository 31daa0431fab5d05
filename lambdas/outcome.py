"""What a step of the machine returns, and the names of failures. The functions and the workflow share both."""

from enum import StrEnum


class Outcome(StrEnum):
    """How a step ended: the machine chooses the next step by it. The texts are in states and run records."""

    NONE = ""
    """No step has answered yet."""

    # plan_run
    PLANNED = "planned"
    ADOPTED = "adopted"
    """A batch that an earlier run ordered is taken over."""
    LANDED = "landed"
    """A batch that an earlier run copied is taken over."""
    REPLAY = "replay"
    BUSY = "busy"
    """Another run has the lease."""
    DUPLICATE = "duplicate"
    """Another run has claimed the scheduled time."""

    # start_export
    ORDERED = "ordered"
    ORDER_UNKNOWN = "order_unknown"
    """The answer to an order was lost."""

    # check_batch
    RUNNING = "running"
    FINISHED = "finished"

    # copy_result
    COPIED = "copied"

    # load_result
    LOADED = "loaded"

    UNDECIDED = "undecided"
    """The records do not say what their fields are: a setting or a later export decides."""

    # close_run
    SUCCEEDED = "succeeded"

    # Several steps
    RATE_LIMITED = "rate_limited"
    PARTIAL = "partial"
    """Call the same step again, to resume."""
    OVERDUE = "overdue"
    """The wait would end beyond the run's deadline."""
    FAILED = "failed"

    @classmethod
    def _missing_(cls, value: object) -> "Outcome | None":
        """Keep an unknown text of a state as it is, so that the run can end as `UnknownOutcome` and quote it."""
        if not isinstance(value, str):
            return None
        unknown = str.__new__(cls, value)
        unknown._name_ = "UNKNOWN"
        unknown._value_ = value
        return unknown


class ErrorName(StrEnum):
    """Why a run failed. A crash has the name of its exception instead, such as `WrittenByNewer` or `Broken`."""

    TOKEN_NOT_SET = "TokenNotSet"  # noqa: S105 - an error's name
    BAD_TOKEN = "BadToken"  # noqa: S105 - an error's name
    RUN_OVERDUE = "RunOverdue"
    EXPORT_FAILED = "ExportFailed"
    UNDECIDED = "Undecided"
    BAD_INPUT = "BadInput"
    UNKNOWN_OUTCOME = "UnknownOutcome"
    DUPLICATE_RUN = "DuplicateRun"
    WRITTEN_BY_NEWER = "WrittenByNewer"
    NOT_CLOSED = "NotClosed"
    """The execution failed in its last step."""
    ABORTED = "ABORTED"
    """Somebody stopped the execution."""
    TIMED_OUT = "TIMED_OUT"
    """The execution took longer than the machine allows."""
    ERROR = "Error"
    """A step failed without a name."""
