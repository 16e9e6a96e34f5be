"""A way to the broker that can be cut: a TCP relay in front of it, for tests that take the broker away."""

import contextlib
import select
import socket
import threading
from dataclasses import dataclass, field


@dataclass
class BrokerProxy:
    """Relays 127.0.0.1:`port` to the broker. `cut` refuses connections, `silence` takes them and never answers."""

    target: tuple[str, int]
    port: int = 0
    silent: bool = False
    listener: socket.socket | None = None
    open_sockets: list[socket.socket] = field(default_factory=list)

    def restore(self) -> None:
        """Let messages through."""
        self.cut()
        self.silent = False
        self._listen()

    def cut(self) -> None:
        """As if the broker's machine were up and the broker down."""
        if self.listener is not None:
            # Without shutdown the thread that waits in accept would keep the port alive.
            with contextlib.suppress(OSError):
                self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        for opened in self.open_sockets:
            with contextlib.suppress(OSError):
                opened.shutdown(socket.SHUT_RDWR)
            opened.close()
        self.open_sockets.clear()

    def silence(self) -> None:
        """As if the broker hung: connections are taken, nothing is ever answered."""
        self.cut()
        self.silent = True
        self._listen()

    def _listen(self) -> None:
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port))
        listener.listen(50)
        self.port = listener.getsockname()[1]
        self.listener = listener
        threading.Thread(target=self._accept, args=(listener, self.silent), daemon=True).start()

    def _accept(self, listener: socket.socket, silent: bool) -> None:
        while True:
            try:
                client, _address = listener.accept()
            except OSError:
                return
            self.open_sockets.append(client)
            if not silent:
                server = socket.create_connection(self.target)
                self.open_sockets.append(server)
                threading.Thread(target=relay, args=(client, server), daemon=True).start()


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until either side ends."""
    with contextlib.suppress(OSError, ValueError):
        while True:
            readable, _writable, _failed = select.select([one, other], [], [])
            for source in readable:
                data = source.recv(65536)
                if not data:
                    one.close()
                    other.close()
                    return
                (other if source is one else one).sendall(data)
