"""A wall-clock limit for a whole exchange: time-outs of sockets count anew for every read."""

import os
import socket
import threading
import time
from types import TracebackType


class Deadline:
    """Cuts the connection when `seconds` have passed, whatever the socket is busy with.

    Used as a context manager around an exchange. `passed` tells afterwards whether an error, or an end of
    stream that looks regular, was in truth the cut.
    """

    def __init__(self, seconds: float) -> None:
        self._ends = time.monotonic() + seconds
        self._timer = threading.Timer(seconds, self._cut)
        self._timer.daemon = True
        self._lock = threading.Lock()
        self._handle: socket.socket | None = None
        self.passed = False

    def __enter__(self) -> "Deadline":
        self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        self._release()

    @property
    def remaining(self) -> float:
        """Seconds left, never less than a thousandth (zero would mean "do not block" to a socket)."""
        return max(self._ends - time.monotonic(), 0.001)

    def watch(self, connection: socket.socket) -> None:
        """Cut this connection when the time is up; a connection watched before is let go."""
        self._release()
        with self._lock:
            # TLS takes the descriptor away from the plain socket, so the watch needs one of its own; and a socket
            # that speaks TLS already does not duplicate itself.
            self._handle = socket.socket(fileno=os.dup(connection.fileno()))
        if self.passed:
            self._cut()

    def _cut(self) -> None:
        with self._lock:
            self.passed = True
            if self._handle is None:
                return
            try:
                self._handle.shutdown(socket.SHUT_RDWR)
            except OSError:
                # The other side was faster and the connection is gone already, which is what was wanted.
                return

    def _release(self) -> None:
        with self._lock:
            if self._handle is not None:
                self._handle.close()
                self._handle = None
