"""Servers that misbehave on a real socket, and the policy under which tests reach them."""

import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from integrations.transports.http import Policy

Behaviour = Callable[[socket.socket], None]


@pytest.fixture
def policy() -> Policy:
    """Short times, and the loopback network listed as the administrator would list a private one."""
    return Policy(
        allowed_hosts=("localhost", "127.0.0.0/8"),
        connect_timeout=2,
        read_timeout=2,
        deadline=5,
        max_response_bytes=100_000,
    )


@pytest.fixture
def raw_server() -> Iterator[Callable[[Behaviour], str]]:
    """Starts a server that hands its first connections to a behaviour; returns its address."""
    listeners: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(behaviour: Behaviour) -> str:
        listener = _listen()
        listeners.append(listener)

        def serve() -> None:
            while True:
                try:
                    connection, _address = listener.accept()
                except OSError:
                    return
                with connection:
                    try:
                        behaviour(connection)
                    except OSError:
                        continue  # the client has gone, which several tests want

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        threads.append(thread)
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield start
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


def _listen() -> socket.socket:
    for port in range(9200, 9240):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
        except OSError:
            listener.close()
            continue
        listener.listen()
        return listener
    raise RuntimeError("no free port between 9200 and 9240")


def read_request(connection: socket.socket) -> bytes:
    """Everything up to the end of the headers, and the body as far as its length is declared."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65_536)
    head, _blank, body = data.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    while len(body) < length:
        body += connection.recv(65_536)
    return head + b"\r\n\r\n" + body


@pytest.fixture(scope="session")
def httpserver_listen_address() -> tuple[str, int]:
    return ("127.0.0.1", 0)
