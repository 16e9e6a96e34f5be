"""The cast of the mails: a ticket of Emil's whose task is at the partner, and the mailboxes they write to."""

from pathlib import Path

import pytest

from integrations.inbound.mail.service import receive
from integrations.models import Exchange, IncomingMail, Mailbox, Outcome, Way
from tests.cast import Desk, Partner
from tickets.models import Queue, Task

CORPUS = Path(__file__).parent / "corpus"
SENT = "<sent-1@portal.test>"


def raw_mail(text: str = "", *, body: str = "Words.", **headers: str) -> bytes:
    """A plain mail of Emil's; underscores in names of headers stand for hyphens. `text` replaces all of it."""
    if text:
        return text.encode()
    given = {
        "From": "Emil Ende <emil@customer.test>",
        "To": "support@portal.test",
        "Subject": "Hello",
        "Message-ID": "<one@customer.test>",
        "Date": "Tue, 03 Nov 2026 10:00:00 +0100",
        "Content-Type": "text/plain; charset=utf-8",
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    head = "\n".join(f"{name}: {value}" for name, value in given.items() if value)
    return f"{head}\n\n{body}\n".encode()


def take(raw: bytes, mailbox: Mailbox | None) -> IncomingMail:
    """Receive it; the row as it is in the database then."""
    row = receive(raw, mailbox=mailbox)
    return IncomingMail.objects.select_related("ticket", "task", "system", "exchange", "mailbox").get(pk=row.pk)


@pytest.fixture(autouse=True)
def _files(settings, tmp_path):
    """Stored mails go where nobody looks for them later."""
    settings.MEDIA_ROOT = tmp_path


@pytest.fixture
def by_mail(partner: Partner) -> Partner:
    """The partner may write mail."""
    partner.system.mail_to = "desk@partner.test"
    partner.system.mail_senders = "@partner.test"
    partner.system.save()
    return partner


@pytest.fixture
def task(desk: Desk, by_mail: Partner) -> Task:
    """Ticket 1001 is Emil's, its task 1001-1 is at the partner; a mail about it was sent."""
    Queue.objects.create(code="first", name="First")
    task: Task = desk.task(by_mail.group)
    assert task.number == "1001-1"
    Exchange.objects.create(
        way=Way.OUT,
        system=by_mail.system,
        task=task,
        dialect="mail",
        operation="assign",
        outcome=Outcome.SUCCEEDED,
        message_id=SENT,
    )
    return task


@pytest.fixture
def support(db: None) -> Mailbox:
    """The mailbox for everybody."""
    return Mailbox.objects.create(
        name="Support",
        address="support@portal.test",
        number_formats="[TicketId:{number}]\n[Case {reference}]",
        authserv_id="mx.portal.test",
        plus_addresses=True,
    )


@pytest.fixture
def partners(by_mail: Partner) -> Mailbox:
    """The mailbox of the partner alone."""
    return Mailbox.objects.create(
        name="Partner",
        address="partner@portal.test",
        number_formats="[TicketId:{number}]\n[Case {reference}]",
        system=by_mail.system,
    )
