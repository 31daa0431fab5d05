"""A call and its answer, apart from sockets."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Literal, Protocol

from local.standin.pace import Pace

_PIECE_BYTES = 1 << 18


@dataclass(frozen=True)
class Call:
    """A request. Names of headers are in lower case."""

    method: str
    path: str
    """Without the query."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True)
class FilePart:
    """Bytes of a file, to be sent without holding them in memory."""

    path: Path
    start: int
    length: int


@dataclass(frozen=True)
class Sending:
    """How an answer is sent: whole and at once, unless a fault changes it."""

    pace: Pace | None = None
    ends_at: int | None = None
    """The connection ends after so many bytes of the body."""
    is_reset: bool = False
    """Whether it then ends with a reset."""
    length: Literal["promised", "cut", "none"] = "promised"
    """The Content-Length of a body that ends early."""
    is_silent: bool = False
    """Whether the connection ends without a byte of the answer."""


@dataclass(frozen=True)
class Answer:
    """A response. `Content-Length` is added when it is sent."""

    status: int
    content: bytes | FilePart = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    batch_id: str | None = None
    """The batch that this call created."""
    sending: Sending = Sending()

    @property
    def length(self) -> int:
        """The length of the body in bytes."""
        return self.content.length if isinstance(self.content, FilePart) else len(self.content)

    @property
    def announced_length(self) -> int | None:
        """The value of Content-Length; None omits the header."""
        sent = min(self.length, self.length if self.sending.ends_at is None else self.sending.ends_at)
        return {"promised": self.length, "cut": sent, "none": None}[self.sending.length]

    def pieces(self) -> Iterator[bytes]:
        """The bytes of the body that are sent, piece by piece and at their pace."""
        left = self.length if self.sending.ends_at is None else min(self.length, self.sending.ends_at)
        pace = self.sending.pace
        size = pace.piece_bytes if pace else _PIECE_BYTES
        with self._opened() as file:
            while left and (piece := file.read(min(left, size))):
                left -= len(piece)
                if pace:
                    pace.wait(len(piece))
                yield piece

    def _opened(self) -> BinaryIO:
        if isinstance(self.content, bytes):
            return io.BytesIO(self.content)
        file = self.content.path.open("rb")
        file.seek(self.content.start)
        return file


@dataclass(frozen=True)
class Route:
    """What a call is about: its kind (`order`, `status`, …; see the application) and its batch, where it names one."""

    kind: str
    batch_id: str | None = None
    export_type: str | None = None
    version: str | None = None
    """The other version of a file that a fault serves, see `files.py`."""
    is_repeat: bool = False
    """Whether a fault has an order answered with the batch of the one before it."""


class Application(Protocol):
    """One of the two servers' sides: the API or the file host."""

    name: str

    def route(self, call: Call) -> Route:
        """Classify a call, without an effect."""

    def answer(self, call: Call, route: Route) -> Answer:
        """Answer a call, with its effect."""
