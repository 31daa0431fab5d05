"""The link in an answer that should be one, however it is written."""

import json
import re
from contextlib import suppress
from urllib.parse import unquote

_BLANKS = " \t\r\n\ufeff"
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://[!-~]+", re.I)
_AMPERSAND = re.compile(r"&(?:amp|#38|#x26);", re.I)
_ENCODED = re.compile(r"https?%3a%2f%2f", re.I)
# A JSON string of a JSON string, and what is in it.
_LAYERS = 3


def link_in(text: str) -> str | None:
    """The address that a text consists of: plain, as a JSON string, or escaped for HTML or a form.

    None for anything else, such as a page or an error document, even when it has an address in it.
    """
    for _ in range(_LAYERS):
        text = _decoded(text.strip(_BLANKS))
    return text if _ADDRESS.fullmatch(text) else None


def _decoded(text: str) -> str:
    """The text without one layer of quotes and escapes; no link has a backslash or `&amp;` of its own."""
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        text = text[1:-1]
    if "\\" in text:
        with suppress(ValueError):
            text = json.loads(f'"{text}"')
    if _ENCODED.match(text):
        text = unquote(text)
    return _AMPERSAND.sub("&", text)
