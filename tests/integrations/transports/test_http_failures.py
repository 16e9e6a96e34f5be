"""Servers that break, stall, drip and flood: what the engine is told, and that it is told in time."""

import gzip
import socket
import struct
import time
import tracemalloc

import pytest

from integrations.transports.http import (
    ConnectFailed,
    OutcomeUnknown,
    Policy,
    Request,
    ResponseTooLarge,
    send,
)
from tests.integrations.transports.conftest import read_request


def _reset(connection: socket.socket) -> None:
    """Close with RST instead of FIN."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _with(policy: Policy, **changes) -> Policy:
    return Policy(**{**policy.__dict__, **changes})


def test_a_refused_connection_has_surely_not_reached_anyone(policy: Policy) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        with pytest.raises(ConnectFailed) as caught:
            send(Request("POST", f"http://127.0.0.1:{port}/", body=b"x"), policy)
    assert caught.value.reached is False


def test_a_connection_that_nobody_accepts_ends_at_the_connect_timeout(policy: Policy) -> None:
    with socket.socket() as full:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        fillers = [socket.socket() for _filler in range(4)]
        for filler in fillers:
            filler.setblocking(False)
            filler.connect_ex(full.getsockname())
        started = time.monotonic()
        with pytest.raises(ConnectFailed) as caught:
            send(Request("GET", f"http://127.0.0.1:{full.getsockname()[1]}/"), _with(policy, connect_timeout=0.5))
        for filler in fillers:
            filler.close()
    assert caught.value.reached is False
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("ending", [_reset, socket.socket.close], ids=["reset", "closed"])
def test_a_connection_lost_after_the_request_leaves_the_outcome_unknown(raw_server, policy, ending) -> None:
    received = []

    def behave(connection: socket.socket) -> None:
        received.append(read_request(connection))
        ending(connection)

    with pytest.raises(OutcomeUnknown) as caught:
        send(Request("POST", raw_server(behave) + "/", body=b"create"), policy)
    assert (caught.value.reached, caught.value.status) == (True, None)
    assert received[0].endswith(b"create")
    assert len(received) == 1, "nothing may be repeated here"


def test_a_large_body_that_is_cut_off_half_way_may_have_been_processed(raw_server, policy) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(1000)
        _reset(connection)

    with pytest.raises(OutcomeUnknown) as caught:
        send(Request("POST", raw_server(behave) + "/", body=b"x" * 20_000_000), policy)
    assert caught.value.reached is True


def test_an_answer_to_a_body_that_was_refused_early_is_still_read(raw_server, policy) -> None:
    def behave(connection: socket.socket) -> None:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\nConnection: close\r\n\r\nbig")
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1_000_000):
            pass

    response = send(Request("POST", raw_server(behave) + "/", body=b"x" * 5_000_000), policy)
    assert (response.status, response.body) == (413, b"big")


def test_silence_after_the_request_ends_at_the_read_timeout(raw_server, policy) -> None:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.recv(1)

    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match=r"0\.4 seconds"):
        send(Request("GET", raw_server(behave) + "/"), _with(policy, read_timeout=0.4))
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "start",
    [
        b"HTTP/1.1 200 OK\r\nX-Drip: ",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
    ],
    ids=["headers", "body of known length", "body until the end"],
)
def test_an_answer_that_drips_is_cut_off_at_the_deadline(raw_server, policy, start) -> None:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(start)
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)

    started = time.monotonic()
    with pytest.raises(OutcomeUnknown, match="cut off") as caught:
        send(Request("GET", raw_server(behave) + "/"), _with(policy, deadline=0.6, read_timeout=0.5))
    assert 0.5 < time.monotonic() - started < 2
    assert caught.value.reached is True


def test_a_server_that_never_reads_is_cut_off_at_the_deadline(raw_server, policy) -> None:
    def behave(connection: socket.socket) -> None:
        while len(connection.recv(1, socket.MSG_PEEK)):
            time.sleep(0.05)
            connection.sendall(b"")
            if time.monotonic() > started + 1.5:
                return

    started = time.monotonic()
    with pytest.raises(OutcomeUnknown):
        send(Request("POST", raw_server(behave) + "/", body=b"x" * 30_000_000), _with(policy, deadline=0.6))
    assert time.monotonic() - started < 2


def test_a_tls_handshake_that_stalls_counts_as_not_connected(raw_server, policy) -> None:
    url = raw_server(lambda connection: connection.recv(100_000) and connection.recv(100_000))
    started = time.monotonic()
    with pytest.raises(ConnectFailed) as caught:
        send(Request("GET", url.replace("http:", "https:")), _with(policy, deadline=0.5))
    assert caught.value.reached is False
    assert time.monotonic() - started < 2


@pytest.mark.parametrize(
    "head", [b"Content-Length: 100000000\r\n", b"Connection: close\r\n"], ids=["declared", "endless"]
)
def test_an_answer_beyond_the_limit_is_not_read_to_its_end(raw_server, policy, head) -> None:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(b"HTTP/1.1 201 Created\r\n" + head + b"\r\n")
        while True:
            connection.sendall(b"x" * 50_000)

    with pytest.raises(ResponseTooLarge) as caught:
        send(Request("POST", raw_server(behave) + "/"), policy)
    assert (caught.value.reached, caught.value.status) == (True, 201)


def test_a_decompression_bomb_is_stopped_at_the_limit(raw_server, policy) -> None:
    bomb = gzip.compress(b"\0" * 300_000_000, compresslevel=9)

    def behave(connection: socket.socket) -> None:
        read_request(connection)
        head = f"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: {len(bomb)}\r\n\r\n"
        connection.sendall(head.encode() + bomb)

    tracemalloc.start()
    try:
        with pytest.raises(ResponseTooLarge):
            send(Request("GET", raw_server(behave) + "/"), policy)
        _now, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 10_000_000, "only what the limit allows may be unpacked"


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 100_000 + b"\r\n\r\n",
        b"220 mail.example ESMTP\r\n",
    ],
    ids=["truncated", "bad chunk", "not gzip", "endless header", "not http"],
)
def test_an_answer_that_is_no_proper_http_leaves_the_outcome_unknown(raw_server, policy, answer) -> None:
    def behave(connection: socket.socket) -> None:
        read_request(connection)
        connection.sendall(answer)

    with pytest.raises(OutcomeUnknown):
        send(Request("POST", raw_server(behave) + "/"), policy)
