"""Strings whose content could be another JSON value: `"12"` says 12, and an engine may not tell them apart."""

import re

# What the engine makes of a value that is no string; it takes for numbers also what JSON does not know.
NO_STRING = r"^(?:[\[{]|-?(?:[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?|(?i:nan|inf|infinity))\z|(?:true|false|null)\z)"
# In Python, the end of a text is spelled otherwise.
_NO_STRING_BYTES = re.compile(NO_STRING.replace(r"\z", r"\Z").encode())
# How it may begin.
_NO_STRING_START = re.compile(r"[\[{].*|-?[0-9]*\.?[0-9]*(?:[eE][-+]?[0-9]*)?", re.DOTALL)
_WORDS = ("true", "false", "null", "nan", "infinity", "-nan", "-infinity")


def may_begin_no_string(prefix: str) -> bool:
    """Whether anything that is no string, as the engine spells it, may begin so: true more often than need be."""
    return bool(_NO_STRING_START.fullmatch(prefix)) or any(word.startswith(prefix.lower()) for word in _WORDS)


def is_text(value: bytes) -> bool:
    """Whether a value's JSON text is a string whose content could be no other JSON value.

    What it says is looked at as it stands there, with escapes, which no other value has.
    """
    return value[:1] == b'"' and not _NO_STRING_BYTES.match(value[1:-1])
