"""Foreign words in a sentence of ours: plain, within bounds, and without links and people."""

import re

LONGEST = 200
# Enough for what is shown, however much of it is blank; an endless text costs nothing.
_READ = 2000
# An address, also with escaped slashes, to its end: anyone who has a signed link can read what it points to.
_LINK = re.compile(r"\w+:(?:\\?/|%2f){2}[^\s\"'<>]*", re.I)
# What signs a link, should it stand alone.
_SIGNATURE = re.compile(r"\b(?:\w|-)*(?:signature|security-token|credential|accesskeyid)=[^\s\"'<>]*", re.I)
# Whom a text is about: an address, plain or in a link's encoding, or a number of somebody.
_PERSON = re.compile(r"[^\s\"'<>(),;:]+(?:@|%40)[^\s\"'<>(),;:]+|\+?\d[\d\s./-]{5,}\d")


def quoted(text: str) -> str:
    """The text as one line of at most 200 characters, and an ellipsis where it is longer."""
    plain = " ".join("".join(sign if sign.isprintable() else " " for sign in text[:_READ]).split())
    masked = _PERSON.sub("(masked)", _SIGNATURE.sub("(a signature)", _LINK.sub("(a link)", plain)))
    return masked if len(masked) <= LONGEST else masked[:LONGEST] + "…"
