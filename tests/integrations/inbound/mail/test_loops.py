"""Machines that answer each other are stopped, and people see it."""

import pytest

from integrations.mail_words import MARK, instance_mark
from integrations.models import IncomingMail, MailState
from tests.integrations.inbound.mail.conftest import SENT, raw_mail, take
from tickets.models import Note, Ticket

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("by", ["mark", "message id"])
def test_our_own_mail_that_comes_back_does_nothing(task, partners, by):
    own = {MARK.replace("-", "_"): instance_mark()} if by == "mark" else {"Message_ID": SENT}
    row = take(raw_mail(From="desk@partner.test", Subject="[TicketId:1001-1]", **own), partners)
    assert (row.state, Note.objects.count()) == (MailState.STOPPED, 0)


def test_a_mail_of_another_deskbridge_is_no_mail_of_ours(task, partners):
    other = {MARK.replace("-", "_"): "0123456789abcdef0123", "Auto_Submitted": "auto-generated"}
    row = take(raw_mail(From="desk@partner.test", Subject="[TicketId:1001-1]", **other), partners)
    assert row.state == MailState.HANDLED


@pytest.mark.parametrize("who", ["contact", "desk"])
def test_more_than_so_many_an_hour_from_one_address_to_one_ticket(task, support, partners, who):
    box = support if who == "contact" else partners
    sender = {"contact": "emil@customer.test", "desk": "desk@partner.test"}[who]
    box.hourly_limit = 3
    box.save()
    for number in range(5):
        row = take(
            raw_mail(From=sender, Subject="[TicketId:1001-1]", Message_ID=f"<{number}@x.test>", body=f"{number}"), box
        )
    assert [note.body for note in Note.objects.order_by("pk")] == ["0", "1", "2"]
    assert (row.state, "loop" in row.reason, row.ticket) == (MailState.STOPPED, True, task.ticket)


def test_a_machine_without_any_mark_does_not_open_tickets_without_end(task, support):
    support.hourly_limit = 2
    support.save()
    for number in range(4):
        take(raw_mail(Message_ID=f"<{number}@x.test>"), support)
    assert Ticket.objects.count() == 3
    assert IncomingMail.objects.filter(state=MailState.STOPPED).count() == 2
