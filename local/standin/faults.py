"""Injected faults: a script of rules, each for some calls of one kind. docs/faults.md describes the file.

A rule is one row of the table in that page: which calls it meets (`call`, `exportType`, `skip`, `times`) and what then
happens (`fault`, and the fault's own fields). The first rule that meets a call is the one that counts.
"""

import threading
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from lambdas.vocabulary import EXPORT_TYPES

CALLS = ("account", "order", "status", "link", "redirect", "file")

_Kind = Literal["account", "order", "status", "link", "redirect", "file"]
_Seconds = Annotated[float, Meta(ge=0, le=3600)]
_Bytes = Annotated[int, Meta(ge=0)]
_Count = Annotated[int, Meta(ge=0)]


class BadFaults(ValueError):
    """A fault script cannot be used; the text is a sentence."""


class _Rule(
    msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True, tag_field="fault", tag=str
):
    """The calls that a fault applies to."""

    call: _Kind
    export_type: str | None = None
    """None is any; calls of an unknown batch and `account` have none."""
    skip: _Count = 0
    """The number of such calls before the fault begins."""
    times: Annotated[int, Meta(ge=1)] | None = 1
    """The number of calls that it applies to; None is all that follow."""


class Status(_Rule, frozen=True, kw_only=True, tag="status"):
    """The call is answered with this status, and has no effect."""

    status: Annotated[int, Meta(ge=200, le=599)]
    headers: dict[str, str] = {}
    text: str = "A fault of the script."


class Delay(_Rule, frozen=True, kw_only=True, tag="delay"):
    """The answer is late; its effect is not."""

    seconds: _Seconds


class Drip(_Rule, frozen=True, kw_only=True, tag="drip"):
    """The body is sent at this pace."""

    bytes_per_second: Annotated[int, Meta(ge=1)]


class Reset(_Rule, frozen=True, kw_only=True, tag="reset"):
    """The connection is reset after so many bytes of the body."""

    at_byte: _Bytes


class Lost(_Rule, frozen=True, kw_only=True, tag="lost"):
    """The call takes effect, and the connection closes without a byte of an answer."""


class Cut(_Rule, frozen=True, kw_only=True, tag="cut"):
    """The body ends after so many bytes, without an error of the connection."""

    at_byte: _Bytes
    length: Literal["promised", "cut", "none"] = "promised"
    """What Content-Length says: the whole length, that of the cut body, or nothing (the connection ends it)."""


class Page(_Rule, frozen=True, kw_only=True, tag="page"):
    """The call takes effect, and is answered with a page or an error document that holds what the answer was."""

    form: Literal["html", "json", "xml"] = "html"
    text: str = "We are back soon."


class Expired(_Rule, frozen=True, kw_only=True, tag="expired"):
    """The file host treats the link as expired: S3's 403, or another refusal."""

    status: Annotated[int, Meta(ge=400, le=499)] = 403
    code: str = "AccessDenied"
    text: str = "Request has expired"


class Changed(_Rule, frozen=True, kw_only=True, tag="changed"):
    """The file host has another version of the file: a line end more, and the ETag of that."""


class CutGzip(_Rule, frozen=True, kw_only=True, tag="cutGzip"):
    """The file is truncated gzip, with the length and the ETag of what is left."""


class OtherHost(_Rule, frozen=True, kw_only=True, tag="otherHost"):
    """The link points to another host."""

    host: str = "files.example.com"


class LinkForm(_Rule, frozen=True, kw_only=True, tag="linkForm"):
    """The link is written in another way, see `links.FORMS`."""

    form: Literal["quoted", "escaped", "html", "encoded", "bom", "utf16"]


class BatchId(_Rule, frozen=True, kw_only=True, tag="batchId"):
    """The order takes effect, and is answered with this id."""

    id: str


class SameBatch(_Rule, frozen=True, kw_only=True, tag="sameBatch"):
    """The order is answered with the batch of the previous order of its type, if there is one, and has no effect."""


class BatchStatus(_Rule, frozen=True, kw_only=True, tag="batchStatus"):
    """The status call returns this: `ERROR`, an unknown word, or `IN_PROGRESS` for ever (`times: null`)."""

    status: str


Rule = (
    Status
    | Delay
    | Drip
    | Reset
    | Lost
    | Cut
    | Page
    | Expired
    | Changed
    | CutGzip
    | OtherHost
    | LinkForm
    | BatchId
    | SameBatch
    | BatchStatus
)

# Faults that apply only to some kinds of calls.
_ONLY: dict[type[_Rule], tuple[str, ...]] = {
    Expired: ("file",),
    Changed: ("file",),
    CutGzip: ("file",),
    OtherHost: ("link", "redirect"),
    LinkForm: ("link",),
    Page: tuple(call for call in CALLS if call != "file"),
    BatchId: ("order",),
    SameBatch: ("order",),
    BatchStatus: ("status",),
}


class FaultScript(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A whole script: the rules, and limits that always apply (in place of the stand-in's options when given)."""

    rules: tuple[Rule, ...] = ()
    calls_per_minute: Annotated[int, Meta(ge=1)] | None = None
    minute_seconds: Annotated[float, Meta(gt=0)] | None = None
    file_bytes_per_second: Annotated[int, Meta(ge=1)] | None = None


def read(path: Path) -> FaultScript:
    """Read a script.

    Raises:
        BadFaults: there is no such file, or it is no script.
    """
    try:
        return parsed(path.read_bytes())
    except OSError as error:
        raise BadFaults(f"The fault script {path} cannot be read: {error.strerror}.") from None
    except BadFaults as error:
        raise BadFaults(f"The fault script {path} cannot be used: {error}") from None


# Made once: threads that are the first to look into the types at the same time crash the interpreter.
_DECODER = msgspec.json.Decoder(FaultScript)


def parsed(content: bytes) -> FaultScript:
    """Understand a script.

    Raises:
        BadFaults: it is none.
    """
    try:
        script = _DECODER.decode(content)
    except msgspec.DecodeError as error:
        raise BadFaults(f"{error}.") from None
    for number, rule in enumerate(script.rules):
        kinds = _ONLY.get(type(rule), CALLS)
        if rule.call not in kinds:
            raise BadFaults(f"rules[{number}] puts its fault on the call {rule.call}; it is one of {', '.join(kinds)}.")
        if rule.export_type is not None and rule.export_type not in EXPORT_TYPES:
            raise BadFaults(f"rules[{number}] names the export type {rule.export_type}; there is none.")
    return script


class Faults:
    """The active rules: each call counts once, and gets its fault. Thread-safe."""

    def __init__(self, rules: tuple[Rule, ...] = ()) -> None:
        self._lock = threading.Lock()
        self._rules: list[Rule] = []
        self._seen: list[int] = []
        self.set(rules)

    def set(self, rules: tuple[Rule, ...], export_type: str | None = None) -> None:
        """Replace the rules, or those of one export type; new rules start counting."""
        with self._lock:
            kept = [
                (rule, seen)
                for rule, seen in zip(self._rules, self._seen, strict=True)
                if export_type is not None and rule.export_type != export_type
            ]
            self._rules = [rule for rule, _ in kept] + list(rules)
            self._seen = [seen for _, seen in kept] + [0] * len(rules)

    def meet(self, kind: str, export_type: str | None) -> Rule | None:
        """The fault of this call. Every matching rule counts the call, whichever applies."""
        with self._lock:
            found = None
            for position, rule in enumerate(self._rules):
                if rule.call != kind or rule.export_type not in (None, export_type):
                    continue
                number = self._seen[position]
                self._seen[position] += 1
                begun = number >= rule.skip
                over = rule.times is not None and number >= rule.skip + rule.times
                if found is None and begun and not over:
                    found = rule
            return found
