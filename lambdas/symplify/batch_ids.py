"""Which batch ids can be asked about."""

import re

# What stays one step of a path in every parser: printable, without slash, backslash and what is encoded, and not dots
# alone. Longer than any known id, and short enough for an object key.
_USABLE = re.compile(r"(?!\.+$)[^/\\%?#;\x00-\x20\x7f-\U0010ffff]{1,200}")

UNUSABLE = (
    "Symplify's batchId cannot be part of an address: it has a slash, a blank, an encoded or control character or dots "
    "alone, or is longer than 200 characters. So nothing was asked about that batch. Look at the batches in Symplify, "
    "and ask its support."
)


def is_usable(batch_id: str) -> bool:
    """Whether a batch id stays what it is as a part of a path."""
    return _USABLE.fullmatch(batch_id) is not None
