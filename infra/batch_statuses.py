"""The setting batchStatuses: what the vendor's words for a batch's status mean, besides those that are built in."""

from collections.abc import Mapping
from typing import Annotated, Literal

from msgspec import Meta

BUILT_IN = ("PENDING", "IN_PROGRESS", "FINISHED", "ERROR")
"""The words of `lambdas/symplify/statuses.py`, which the stack may not import; a test holds both equal."""

_Word = Annotated[str, Meta(max_length=64, pattern=r"\S")]
# Few enough for the functions' environment, which takes 4 KB in all.
BatchStatuses = Annotated[Mapping[_Word, Literal["running", "finished", "failed"]], Meta(max_length=12)]

WANTED = "it takes at most 12 words of Symplify's, each with running, finished or failed"


def problem(statuses: Mapping[str, str]) -> str | None:
    """What is wrong with the words, as a sentence without its end; case and blanks around a word do not count."""
    words = [word.strip().upper() for word in statuses]
    for word in words:
        if word in BUILT_IN:
            return f"has {word}, whose meaning is built in"
        if words.count(word) > 1:
            return f"has {word} twice"
    return None
