"""Real mail servers on this machine: pymap for IMAP, aiosmtpd for SMTP. Each for one module of tests."""

import datetime
import imaplib
import ipaddress
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.practice_desk import free_port

USER, PASSWORD = "demouser", "demopass"


TOKEN = "good-access-token-0123456789"
# pymap knows XOAUTH2 and offers it to nobody by itself; a token is not for it to judge.
WITH_TOKEN = """
from pymap.backend.dict import Login
from pymap.config import IMAPConfig
from pymap.exceptions import InvalidAuth
from pymap.main import main
from pysasl import SASLAuth
from pysasl.creds.external import ExternalCredentials

IMAPConfig.tls_auth = property(lambda config: SASLAuth.named([b"XOAUTH2", b"PLAIN"]))
by_password = Login.authenticate


async def authenticate(login, credentials):
    if not isinstance(credentials, ExternalCredentials):
        return await by_password(login, credentials)
    if credentials._token != {token!r}:
        raise InvalidAuth()
    return login.demo_user_identity


Login.authenticate = authenticate
main()
"""


@dataclass
class ImapServer:
    """An IMAP server with one account; what tests put into its inbox and see there."""

    port: int

    def client(self) -> imaplib.IMAP4:
        """A signed-in client, as a person's mail program would be."""
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(USER, PASSWORD)
        client.select("INBOX")
        return client

    def put(self, *mails: bytes) -> None:
        """Deliver mails into the inbox, unread."""
        client = self.client()
        for raw in mails:
            client.append("INBOX", "", None, raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n"))
        client.logout()

    def count(self, criteria: str = "ALL", folder: str = "INBOX") -> int:
        """How many mails of this kind are there."""
        client = self.client()
        client.select(folder, readonly=True)
        found = client.search(None, criteria)[1][0].split()
        client.logout()
        return len(found)

    def empty(self) -> None:
        """As at the beginning."""
        client = self.client()
        client.create("Done")
        for folder in ("Done", "INBOX"):
            client.select(folder)
            client.store("1:*", "+FLAGS", "\\Deleted") if client.search(None, "ALL")[1][0] else None
            client.expunge()
        client.logout()

    def settings(self, **values: Any) -> dict[str, Any]:
        """What a mailbox needs to be read here."""
        return {
            "host": "127.0.0.1",
            "port": self.port,
            "security": "none",
            "allow_private": True,
            "username": USER,
            "secret": PASSWORD,
            **values,
        }


@dataclass
class SmtpServer:
    """Takes every mail; what it got: sender, recipients and content."""

    port: int
    received: list[tuple[str, list[str], bytes]] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
        """aiosmtpd's hook."""
        self.received.append((envelope.mail_from, envelope.rcpt_tos, envelope.content))
        return "250 OK"


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate of this machine's own making, for a day, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(address, critical=False)
        .sign(key, hashes.SHA256())
    )
    plain = serialization.NoEncryption()
    (folder / "cert.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    )
    return folder / "cert.pem", folder / "key.pem"


def started(*arguments: str, token: str = "") -> Iterator[ImapServer]:
    """pymap, in memory, without its other services; ended after the `yield`. With a `token` it takes that, too."""
    port = free_port()
    start = WITH_TOKEN.format(token=token) if token else "from pymap.main import main; main()"
    command = [sys.executable, "-c", start, "--host", "127.0.0.1", "--port", str(port), *arguments]
    command += ["--no-service", "managesieve", "--no-service", "admin", "dict"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = ImapServer(port)
    try:
        for _try in range(400):
            try:
                imaplib.IMAP4("127.0.0.1", port, timeout=10).logout()
                break
            except OSError:
                assert process.poll() is None, "the IMAP server ended"
                time.sleep(0.05)
        yield server
    finally:
        process.kill()
        process.wait(timeout=10)


@pytest.fixture(scope="module")
def imap_process() -> Iterator[ImapServer]:
    """A server without TLS, for one module of tests."""
    yield from started("--no-tls")


@pytest.fixture
def imap(imap_process: ImapServer) -> ImapServer:
    """The IMAP server, its folders empty."""
    imap_process.empty()
    return imap_process


@pytest.fixture
def smtp(settings: Any) -> Iterator[SmtpServer]:
    """An SMTP server, to which the portal sends."""
    server = SmtpServer(free_port())
    controller = Controller(server, hostname="127.0.0.1", port=server.port)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    yield server
    controller.stop()
