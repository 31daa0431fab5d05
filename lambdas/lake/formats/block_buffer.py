"""The stream of an unpacked file, as far as it is being looked at."""

from collections import deque
from collections.abc import Iterator

from lambdas.lake.formats.json_scan import SPACE

_HEAD_BYTES = 1 << 16


class Buffer:
    """Blocks as they came, since putting them together takes time; positions count from the first byte not dropped."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._coming = blocks
        self._blocks: deque[bytes] = deque()
        # Of the first block, so many bytes are gone.
        self._gone = 0
        self.size = 0
        self.offset = 0
        self.at_end = False

    def fill(self, size: int) -> None:
        """Hold so many bytes, or all that are left."""
        while self.size < size and not self.at_end:
            block = next(self._coming, None)
            if block is None:
                self.at_end = True
            elif block:
                self._blocks.append(block)
                self.size += len(block)

    def holds_the_rest(self, size: int) -> bool:
        """Whether no more than `size` bytes are left, which does not depend on how the bytes arrive."""
        self.fill(size + 1)
        return self.size <= size

    def parts(self, start: int, end: int) -> tuple[memoryview, ...]:
        """The bytes between two positions, as far as there are any, where they lie."""
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
        """The bytes between two positions, as far as there are any, put together."""
        return b"".join(self.parts(start, end))

    def head(self) -> bytes:
        """As much of the start as is looked through at once."""
        return self.joined(0, _HEAD_BYTES)

    def rfind(self, letter: bytes, end: int) -> int:
        """The position of a byte's last place before the end; -1 where there is none."""
        after = self.size
        for block in reversed(self._blocks):
            start = after - len(block)
            found = block.rfind(letter, max(0, -start), max(0, end - start))
            if found >= 0:
                return start + found
            after = start
        return -1

    def drop(self, count: int) -> None:
        """Forget so many of the bytes that it holds."""
        self.size -= count
        self.offset += count
        self._gone += count
        while self._blocks and self._gone >= len(self._blocks[0]):
            self._gone -= len(self._blocks.popleft())

    def drop_space(self) -> None:
        """Drop blanks at the start, however many."""
        while True:
            self.fill(1)
            head = self.head()
            blank = len(head) - len(head.lstrip(SPACE))
            self.drop(blank)
            if not head or blank < len(head):
                return
