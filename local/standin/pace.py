"""The pace at which bytes are sent."""

import threading
import time


class Pace:
    """A number of bytes a second, shared by all users of the object. Thread-safe."""

    def __init__(self, bytes_per_second: int) -> None:
        self.piece_bytes = max(1, min(1 << 18, bytes_per_second // 10))
        """So small that a pause is a tenth of a second at most."""
        self._rate = bytes_per_second
        self._free_at = 0.0
        self._lock = threading.Lock()

    def wait(self, count: int) -> None:
        """Wait until so many bytes may have gone out."""
        with self._lock:
            self._free_at = max(time.monotonic(), self._free_at) + count / self._rate
            pause = self._free_at - time.monotonic()
        time.sleep(max(0.0, pause))
