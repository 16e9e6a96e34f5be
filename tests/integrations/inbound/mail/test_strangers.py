"""People who are not known here: their mail is the failover person's ticket, as long as they are not too many."""

from datetime import timedelta

import pytest
from django.utils import timezone

from integrations.models import IncomingMail, MailState
from tests.integrations.inbound.mail.conftest import raw_mail, take
from tickets.models import Category, Contact, Note, Priority, Ticket

pytestmark = pytest.mark.django_db


@pytest.fixture
def box(task, support):
    """The mailbox for everybody has a failover person, and a category for new tickets."""
    support.failover_contact = Contact.objects.create(name="Reception", email="reception@customer.test")
    support.category = Category.objects.create(code="mail", name="By mail")
    support.save()
    return support


def stranger(number: int = 1, **values: str) -> bytes:
    """A mail of the so-and-so-many-eth of them."""
    given = {"From": f"Nora Neu <nora{number}@nowhere.test>", "Message_ID": f"<{number}@nowhere.test>", **values}
    return raw_mail(**given)


def test_it_is_the_failover_persons_ticket_and_says_who_has_written(box):
    row = take(stranger(Subject="The door", body="It does not open.\n\n[[PRIORITY]]: [[P1]]"), box)
    assert (row.state, row.outcome) == (MailState.HANDLED, "new_ticket")
    ticket = Ticket.objects.get(title="The door")
    assert (ticket.contact.name, ticket.category.code) == ("Reception", "mail")
    assert ticket.description.startswith("Written by Nora Neu <nora1@nowhere.test>:\n\nIt does not open.")
    # What strangers wish for is not chosen.
    assert ticket.priority == Priority.objects.first()


def test_also_with_a_failover_person_nobody_writes_into_somebody_elses_ticket(box):
    row = take(stranger(Subject="[TicketId:1001]"), box)
    assert (row.state, Note.objects.count(), Ticket.objects.count()) == (MailState.UNCLEAR, 0, 1)


def test_with_ever_new_addresses_no_more_tickets_than_so_many_an_hour(box, settings):
    settings.STRANGERS_AN_HOUR = 2
    states = [take(stranger(number), box).state for number in range(4)]
    assert states == ["handled", "handled", "unclear", "unclear"]
    assert "More than 2 people who are not known" in IncomingMail.objects.latest("pk").reason
    # Who is known is not kept out by them.
    assert take(raw_mail(), box).state == MailState.HANDLED
    IncomingMail.objects.update(received_at=timezone.now() - timedelta(minutes=61))
    assert take(stranger(9), box).state == MailState.HANDLED
