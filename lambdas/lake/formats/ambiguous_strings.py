"""Strings whose content could be another JSON value: the engine may confuse `"12"` with 12."""

import re

# How the engine spells a value that is no string; its numbers include some that JSON lacks.
NO_STRING = r"^(?:[\[{]|-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|(?i:nan|inf|infinity))\z|(?:true|false|null)\z)"
# Python spells the end of a text differently.
_NO_STRING_BYTES = re.compile(NO_STRING.replace(r"\z", r"\Z").encode())
# Its possible prefixes.
_NO_STRING_START = re.compile(r"[\[{].*|-?[0-9]*\.?[0-9]*(?:[eE][-+]?[0-9]*)?", re.DOTALL)
_WORDS = ("true", "false", "null", "nan", "infinity", "-nan", "-infinity")


def may_begin_no_string(prefix: str) -> bool:
    """Whether a value that is no string may start like this, as the engine spells it; may be a false alarm."""
    return bool(_NO_STRING_START.fullmatch(prefix)) or any(word.startswith(prefix.lower()) for word in _WORDS)


def is_text(value: bytes) -> bool:
    """Whether a value's JSON text is a string whose content could be no other JSON value.

    The content is checked with its escapes, which no other value has.
    """
    return value[:1] == b'"' and not _NO_STRING_BYTES.match(value[1:-1])
