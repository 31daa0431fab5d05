"""A call and its answer, apart from sockets."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

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
class Answer:
    """A response. `Content-Length` is added when it is sent."""

    status: int
    content: bytes | FilePart = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    batch_id: str | None = None
    """The batch that came into being by this call."""

    @property
    def length(self) -> int:
        """The length of the body in bytes."""
        return self.content.length if isinstance(self.content, FilePart) else len(self.content)

    def pieces(self) -> Iterator[bytes]:
        """The body, piece by piece."""
        if isinstance(self.content, bytes):
            yield self.content
            return
        left = self.content.length
        with self.content.path.open("rb") as file:
            file.seek(self.content.start)
            while left and (piece := file.read(min(left, _PIECE_BYTES))):
                left -= len(piece)
                yield piece


@dataclass(frozen=True)
class Route:
    """What a call is about: its kind (`order`, `status`, …; see the application) and its batch, where it names one."""

    kind: str
    batch_id: str | None = None


class Application(Protocol):
    """One of the two servers' sides: the API or the file host."""

    name: str

    def route(self, call: Call) -> Route:
        """Say what a call is about, without an effect."""

    def answer(self, call: Call, route: Route) -> Answer:
        """Do what a call asks for."""
