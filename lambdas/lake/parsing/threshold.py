"""How much of a file may be rejected before the export is refused."""

from dataclasses import dataclass

from lambdas.lake.errors import Unloadable
from lambdas.lake.parsing.stager import Staged

# Of a file's bytes: a page of text, or one in a hundred.
_REJECTED_BYTES = 4 << 10
_REJECTED_SHARE = 0.01


@dataclass(frozen=True)
class Threshold:
    """How many records, and how much of the file, may be rejected before the export is refused."""

    ratio: float
    minimum: int

    def check(self, staged: Staged) -> None:
        """Check the counts, and the bytes: one rejected "line" may be half of a file.

        Raises:
            Unloadable: too much was rejected, or all of it.
        """
        rejected, read = staged.rejected, staged.rejected + staged.rows
        if rejected > max(self.minimum, self.ratio * read) or (rejected and not staged.rows):
            raise Unloadable(
                f"{rejected} of {read} records are no JSON objects, which is more than the settings "
                "quarantineRatio and quarantineMinimum allow. They stand in quarantine with their positions."
            )
        share = max(self.ratio, _REJECTED_SHARE)
        if staged.rejected_bytes > max(_REJECTED_BYTES, share * staged.bytes):
            raise Unloadable(
                f"{staged.rejected_bytes:,} of the file's {staged.bytes:,} bytes are no JSON objects, in {rejected} "
                f"places: more than {share:.0%} of it. They stand in quarantine with their positions."
            )
