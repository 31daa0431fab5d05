"""Masks: what a value looks like, never what it is. Letters become `a`, digits `9`.

Names of fields are shown, unless they look like values: a vendor may use an address as a name.
"""

import re
from collections.abc import Iterable

_MOST = 60
_PLAIN_MARKS = frozenset(" \t!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~")
# A name consists of words. More digits than a version or a customer's number of a field has are a number of somebody.
_NAME = re.compile(r"[\w$.:/ -]{1,100}")
_MOST_DIGITS = 4
# Objects may have values for names, with blanks and any letters, as people are called.
_INNER = re.compile(r"[\w$.:/-]+", re.ASCII)
_HEXADECIMAL = re.compile(r"[0-9a-fA-F-]{16,}")
# What sentences quote of a file, as Python writes it.
_QUOTED = re.compile(
    r"""(starts with|bytes are|stands before|looks like|it says) ('(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
)


def mask(value: str, most: int = _MOST) -> str:
    """The value's mask, cut to `most` characters."""
    masked = "".join(map(_masked, value[:most]))
    return masked if len(value) <= most else masked + "…"


def _masked(sign: str) -> str:
    if sign.isalpha():
        return "a"
    if sign.isnumeric():
        return "9"
    return sign if sign in _PLAIN_MARKS else "·"


def looks_like_a_value(name: str) -> bool:
    """Whether a name may be somebody's address, number or id."""
    return (
        _NAME.fullmatch(name) is None
        or sum(sign.isnumeric() for sign in name) > _MOST_DIGITS
        or _HEXADECIMAL.search(name) is not None
    )


def shown_name(path: str, columns: Iterable[str], *, is_own: bool = False) -> str:
    """A field's name, or a path below one of the columns, as it may be shown; `is_own` when few objects have it."""
    column = max((one for one in columns if path == one or path.startswith(f"{one}.")), key=len, default=path)
    inner = path[len(column) :]
    outer = mask(column) if looks_like_a_value(column) else column
    hides = bool(inner) and (is_own or looks_like_a_value(inner[1:]) or _INNER.fullmatch(inner[1:]) is None)
    return outer + (mask(inner) if hides else inner)


def masked_sentence(sentence: str, names: Iterable[tuple[str, str]]) -> str:
    """A sentence of the load without the file's text; `names` are those of fields, each with how it is shown."""
    for name, shown in sorted(names, key=lambda pair: -len(pair[0])):
        if shown != name:
            # Sentences cut names.
            sentence = sentence.replace(name, shown).replace(name[:80], shown)
    return _QUOTED.sub(lambda found: f"{found[1]} '{mask(found[2][1:-1])}'", sentence)
