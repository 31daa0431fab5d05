"""A look-ahead buffer over the blocks of a decompressed stream."""

from collections import deque
from collections.abc import Iterator

from lambdas.lake.formats.json_scan import SPACE

_HEAD_BYTES = 1 << 16


class BlockBuffer:
    """Keeps blocks as they arrive, since joining them takes time; positions count from the first byte not dropped."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._coming = blocks
        self._blocks: deque[bytes] = deque()
        # Dropped bytes of the first block.
        self._gone = 0
        self.size = 0
        self.offset = 0
        self.at_end = False

    def fill(self, size: int) -> None:
        """Read until the buffer has `size` bytes, or to the end."""
        while self.size < size and not self.at_end:
            block = next(self._coming, None)
            if block is None:
                self.at_end = True
            elif block:
                self._blocks.append(block)
                self.size += len(block)

    def holds_the_rest(self, size: int) -> bool:
        """Whether at most `size` bytes are left, however the blocks are cut."""
        self.fill(size + 1)
        return self.size <= size

    def parts(self, start: int, end: int) -> tuple[memoryview, ...]:
        """The bytes between two positions, as views of their blocks; fewer at the end."""
        found = []
        at = -self._gone
        for block in self._blocks:
            if at >= end:
                break
            part = memoryview(block)[max(start, at) - at : end - at]
            if part:
                found.append(part)
            at += len(block)
        return tuple(found)

    def joined(self, start: int, end: int) -> bytes:
        """The bytes between two positions, joined; fewer at the end."""
        return b"".join(self.parts(start, end))

    def head(self) -> bytes:
        """The first bytes, enough to recognise a format by."""
        return self.joined(0, _HEAD_BYTES)

    def find(self, letter: bytes) -> int:
        """The first position of a byte in what was read; -1 when there is none."""
        at = -self._gone
        for block in self._blocks:
            found = block.find(letter, max(0, -at))
            if found >= 0:
                return at + found
            at += len(block)
        return -1

    def rfind(self, letter: bytes, end: int) -> int:
        """The last position of a byte before `end`; -1 when there is none."""
        after = self.size
        for block in reversed(self._blocks):
            start = after - len(block)
            found = block.rfind(letter, max(0, -start), max(0, end - start))
            if found >= 0:
                return start + found
            after = start
        return -1

    def drop(self, count: int) -> None:
        """Drop bytes from the start."""
        self.size -= count
        self.offset += count
        self._gone += count
        while self._blocks and self._gone >= len(self._blocks[0]):
            self._gone -= len(self._blocks.popleft())

    def drop_space(self) -> None:
        """Drop leading whitespace, however long."""
        while True:
            self.fill(1)
            head = self.head()
            blank = len(head) - len(head.lstrip(SPACE))
            self.drop(blank)
            if not head or blank < len(head):
                return
