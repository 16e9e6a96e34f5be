"""Mail over a real SMTP server: what arrives, what is refused, and what the engine is told."""

import email
import ssl
from email.message import Message

import pytest
from aiosmtpd.controller import Controller
from django.db import transaction

from integrations.transports.errors import (
    ConnectFailed,
    LoginRefused,
    MailDelayed,
    MailRefused,
    OutcomeUnknown,
    RequestInvalid,
)
from integrations.transports.mail import Mail, send_mail
from tests.integrations.transports.conftest import Behaviour
from tests.mail_servers import SmtpServer, make_certificate
from tests.practice_desk import free_port

MAIL = Mail(
    to=("desk@example.com",),
    subject="Störung",
    body="Grüße\n",
    message_id="<INC-1.run-7@portal.example>",
    headers={"X-Ticket": "INC-1"},
    attachments=(("größe.bin", b"\x00\xff", "application/octet-stream"),),
)


class Desk:
    """Answers by recipient: gone@ is refused for good, later@ for now, lost@ hangs up after the content."""

    def __init__(self) -> None:
        self.received: list[tuple[list[str], Message]] = []

    async def handle_RCPT(self, server, session, envelope, address, options):
        refusal = {"gone": "550 no such mailbox", "later": "451 try again later"}.get(address.partition("@")[0])
        if refusal:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        self.received.append((envelope.rcpt_tos, email.message_from_bytes(envelope.content)))
        if envelope.rcpt_tos[0].startswith("lost"):
            server.transport.abort()
        if envelope.rcpt_tos[0].startswith("spam"):
            return "554 we do not want this"
        return "250 OK"


# Chosen once for each test process: several run at the same time.
PORT = free_port()


@pytest.fixture
def desk(settings):
    """A mail server on a port of its own, and the portal set to use it."""
    handler = Desk()
    controller = Controller(handler, hostname="127.0.0.1", port=PORT)
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", PORT, 3
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = False
    yield handler
    controller.stop()


def _to(*addresses: str) -> Mail:
    return Mail(**{**MAIL.__dict__, "to": addresses})


def test_a_mail_arrives_with_its_identity_headers_and_attachment(desk: Desk) -> None:
    send_mail(MAIL)
    send_mail(MAIL)
    (_recipients, first), (_again, second) = desk.received
    assert first["Message-ID"] == second["Message-ID"] == "<INC-1.run-7@portal.example>"
    assert str(email.header.make_header(email.header.decode_header(first["Subject"]))) == "Störung"
    assert first["X-Ticket"] == "INC-1"
    text, attachment = first.get_payload()
    assert text.get_payload(decode=True).decode().replace("\r\n", "\n") == "Grüße\n"
    assert (attachment.get_filename(), attachment.get_payload(decode=True)) == ("größe.bin", b"\x00\xff")


def test_a_recipient_refused_for_good_is_named(desk: Desk) -> None:
    with pytest.raises(MailRefused, match=r"gone@example\.com: 550 no such mailbox") as caught:
        send_mail(_to("gone@example.com"))
    assert caught.value.reached is False


def test_one_refused_recipient_does_not_keep_the_mail_from_the_others_nor_stay_unsaid(desk: Desk) -> None:
    with pytest.raises(MailRefused, match=r"gone@example\.com") as caught:
        send_mail(_to("one@example.com", "gone@example.com", "two@example.com"))
    assert caught.value.reached is True
    assert [recipients for recipients, _message in desk.received] == [["one@example.com"], ["two@example.com"]]
    assert desk.received[0][1]["To"] == "one@example.com, gone@example.com, two@example.com"


def test_a_temporary_refusal_can_be_tried_again(desk: Desk) -> None:
    with pytest.raises(MailDelayed, match="451") as caught:
        send_mail(_to("later@example.com"))
    assert caught.value.reached is False


def test_content_that_is_refused_is_refused_for_good(desk: Desk) -> None:
    with pytest.raises(MailRefused, match="554"):
        send_mail(_to("spam@example.com"))


def test_a_server_that_hangs_up_after_the_content_leaves_the_outcome_unknown(desk: Desk) -> None:
    with pytest.raises(OutcomeUnknown) as caught:
        send_mail(_to("lost@example.com"))
    assert caught.value.reached is True
    assert len(desk.received) == 1


def test_a_server_that_is_not_there_was_not_reached(desk: Desk, settings) -> None:
    settings.EMAIL_PORT = 9249
    with pytest.raises(ConnectFailed) as caught:
        send_mail(MAIL)
    assert caught.value.reached is False


def test_a_server_that_stalls_is_cut_off_at_the_deadline(desk: Desk, settings, raw_server) -> None:
    def behave(connection) -> None:
        connection.sendall(b"220 hello\r\n")
        while data := connection.recv(1000):
            connection.sendall(b"250-" + b"x" * 10 + b"\r\n250 OK\r\n" if data.startswith(b"ehlo") else b"")

    start: Behaviour = behave
    settings.EMAIL_PORT = int(raw_server(start).rpartition(":")[2])
    with pytest.raises(OutcomeUnknown, match="time was up"):
        send_mail(MAIL, deadline=0.5)


def test_a_refused_login_is_a_matter_of_configuration(desk: Desk, settings, raw_server) -> None:
    def behave(connection) -> None:
        connection.sendall(b"220 hello\r\n")
        while data := connection.recv(1000):
            connection.sendall(b"250-x\r\n250 AUTH PLAIN\r\n" if data.startswith(b"ehlo") else b"535 wrong\r\n")

    settings.EMAIL_PORT = int(raw_server(behave).rpartition(":")[2])
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "portal", "wrong"
    with pytest.raises(LoginRefused, match="535"):
        send_mail(MAIL)


@pytest.mark.parametrize(
    "changes",
    [
        {"subject": "a\nBcc: x@example.com"},
        {"headers": {"X-A": "b\r\nBcc: x@example.com"}},
        {"to": ("a@example.com\nBcc: x@example.com",)},
        {"message_id": "<a>\nBcc: x@example.com"},
        {"sender": "a@example.com\nBcc: x@example.com"},
        {"to": ()},
        {"to": ("not an address",)},
    ],
)
def test_a_mail_that_smuggles_headers_or_has_no_address_is_refused(desk: Desk, changes) -> None:
    with pytest.raises(RequestInvalid):
        send_mail(Mail(**{**MAIL.__dict__, **changes}))
    assert desk.received == []


def test_a_very_long_subject_arrives_whole(desk: Desk) -> None:
    subject = "Störung im Gebäude, " * 200
    send_mail(Mail(**{**MAIL.__dict__, "subject": subject}))
    ((_recipients, message),) = desk.received
    assert str(email.header.make_header(email.header.decode_header(message["Subject"]))).strip() == subject.strip()
    assert max(len(line) for line in message.as_string().splitlines()) < 998


def test_a_recipient_with_another_alphabet_in_the_domain_is_reached(desk: Desk) -> None:
    send_mail(_to("desk@bücher.example"))
    assert [recipients for recipients, _message in desk.received] == [["desk@xn--bcher-kva.example"]]


def test_a_recipient_whom_no_server_could_be_named_gets_nobody_elses_mail(desk: Desk) -> None:
    with pytest.raises(RequestInvalid, match="dèsk@example"):
        send_mail(_to("one@example.com", "dèsk@example.com"))
    assert desk.received == []


@pytest.mark.django_db(transaction=True)
def test_no_mail_leaves_inside_a_transaction(desk: Desk) -> None:
    with transaction.atomic(), pytest.raises(RuntimeError, match="transaction"):
        send_mail(MAIL)
    assert desk.received == []


def test_mail_goes_through_starttls(settings, monkeypatch, tmp_path):
    certificate, key = make_certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = SmtpServer(free_port())
    controller = Controller(
        server, hostname="127.0.0.1", port=server.port, tls_context=context, require_starttls=True
    )
    controller.start()
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = True, False
    settings.EMAIL_HOST_USER = settings.EMAIL_HOST_PASSWORD = ""
    try:
        send_mail(Mail(to=("desk@partner.test",), subject="Hi", body="Hello", message_id="<1@portal.test>"))
    finally:
        controller.stop()
    assert [recipients for _sender, recipients, _content in server.received] == [["desk@partner.test"]]
