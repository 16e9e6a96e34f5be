"""The connection to a mail server is secured as it was configured, and name and password leave it nowhere else."""

import select
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest

from integrations.transports import imap as transport
from integrations.transports import tls
from integrations.transports.errors import AddressRefused, CertificateRefused, ConnectFailed
from tests.certificates import Authority
from tests.mail_servers import PASSWORD, USER, ImapServer, make_certificate, started


@pytest.fixture(scope="module")
def secured(tmp_path_factory):
    """A server with a certificate of its own making."""
    certificate, key = make_certificate(tmp_path_factory.mktemp("tls"))
    yield from started("--cert", str(certificate), "--key", str(key))


def account(server: ImapServer, **values) -> transport.Account:
    """The server's account, as a mailbox has it."""
    return transport.Account(
        "127.0.0.1", server.port, "starttls", USER, PASSWORD, **{"allow_private": True, "timeout": 5.0, **values}
    )


def test_starttls_is_used(secured):
    with transport.open_mailbox(account(secured, verify_tls=False)) as reader:
        assert reader._box.client.sock.version().startswith("TLS")
        assert reader.waiting() == []


@pytest.fixture
def by_tls(tmp_path, imap: ImapServer) -> Iterator[tuple[int, str]]:
    """The port on which the server speaks TLS from the first byte on, as port 993 does, and who vouches for it."""
    authority = Authority()
    pair = authority.issue("localhost")
    (tmp_path / "server.pem").write_text(pair.certificate + pair.key)
    (tmp_path / "authority.pem").write_text(authority.pem)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "server.pem")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=pass_on_all, args=(listener, context, imap.port), daemon=True).start()
        yield listener.getsockname()[1], str(tmp_path / "authority.pem")
        listener.shutdown(socket.SHUT_RDWR)


def pass_on_all(listener: socket.socket, context: ssl.SSLContext, port: int) -> None:
    """One connection after the other, until the listener is closed."""
    with suppress(OSError):
        while True:
            connection, _address = listener.accept()
            inner = socket.create_connection(("127.0.0.1", port))
            with suppress(OSError), inner, context.wrap_socket(connection, server_side=True) as outer:
                pass_on(outer, inner)


def pass_on(outer: ssl.SSLSocket, inner: socket.socket) -> None:
    """What one side says to the other, until one of them has ended."""
    while True:
        ready = [outer] if outer.pending() else select.select([outer, inner], [], [])[0]
        for side, other in ((outer, inner), (inner, outer)):
            if side in ready:
                data = side.recv(65536)
                if not data:
                    return
                other.sendall(data)


def test_tls_from_the_first_byte_on_with_a_certificate_that_somebody_vouches_for(by_tls, imap, monkeypatch):
    port, authority = by_tls
    imap.put(b"Subject: Hello\n\nWords.")
    account = transport.Account("localhost", port, "tls", USER, PASSWORD, allow_private=True, timeout=5.0)
    with pytest.raises(CertificateRefused), transport.open_mailbox(account):
        pass
    # Then as if that authority were among those that everybody believes, which are kept once they were read.
    monkeypatch.setattr("integrations.transports.tls.certifi.where", lambda: authority)
    tls.context.cache_clear()
    try:
        with transport.open_mailbox(account) as reader:
            (mail,) = reader.waiting()
            assert b"Words." in reader.fetch(mail.uid)
    finally:
        tls.context.cache_clear()


def test_a_certificate_that_nobody_vouches_for_is_refused(secured):
    with pytest.raises(CertificateRefused), transport.open_mailbox(account(secured)):
        pass


def test_a_server_without_tls_gets_no_password(secured):
    plain = transport.Account("127.0.0.1", secured.port, "tls", USER, PASSWORD, allow_private=True, timeout=2.0)
    with pytest.raises(ConnectFailed), transport.open_mailbox(plain):
        pass


def test_no_password_goes_through_the_internet_in_clear(monkeypatch):
    monkeypatch.setattr(transport, "permitted_addresses", lambda *args, **values: ["93.184.216.34"])
    plain = transport.Account("imap.example.com", 143, "none", USER, PASSWORD)
    with pytest.raises(AddressRefused), transport.open_mailbox(plain):
        pass


def test_a_server_that_says_nothing_is_left_in_time():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        waiting = transport.Account("127.0.0.1", port, "none", USER, PASSWORD, allow_private=True, timeout=0.5)
        with pytest.raises(ConnectFailed, match="timed out"), transport.open_mailbox(waiting):
            pass
