"""The same mail by several ways at the same moment: it has its effect once, and no copy of it is lost."""

import time

import pytest
from django.db import connection

from integrations.inbound.mail.service import NotNow, receive
from integrations.models import IncomingMail, Mailbox, MailState
from tests.integrations.engine.conftest import in_threads
from tests.integrations.inbound.mail.conftest import raw_mail
from tickets.models import Note, Ticket

pytestmark = pytest.mark.django_db(transaction=True)
DESK = {"From": "desk@partner.test", "Subject": "[TicketId:1001-1]", "Message_ID": "<d@partner.test>"}


def again_and_again(raw: bytes, mailbox: Mailbox) -> str:
    """As a mail server's pipe, or the next looks into a mailbox, would."""
    for _try in range(50):
        try:
            return str(receive(raw, mailbox=mailbox).state)
        except NotNow:
            time.sleep(0.05)
    return "never"


@pytest.mark.parametrize("who", ["contact", "desk"])
@pytest.mark.parametrize("ways", ["one mailbox", "two mailboxes"])
def test_it_has_its_effect_once(task, support, partners, who, ways):
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    raw = raw_mail(**DESK) if who == "desk" else raw_mail()
    other = Mailbox.objects.create(
        name="Other", address="other@portal.test", system=partners.system, number_formats=partners.number_formats
    )
    boxes = [partners, other] if who == "desk" else [support, None]
    if ways == "one mailbox":
        boxes = [boxes[0]] * 2
    states = in_threads(*(lambda box=box: again_and_again(raw, box) for box in boxes))
    assert set(states) <= {MailState.HANDLED, MailState.REPEATED}, states
    assert (Note.objects.count(), Ticket.objects.count()) == ((1, 1) if who == "desk" else (0, 2))
    assert IncomingMail.objects.filter(state=MailState.HANDLED).count() == 1
    assert IncomingMail.objects.count() == len(set(boxes))
