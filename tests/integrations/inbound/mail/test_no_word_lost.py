"""Whatever stands beside tags, or in tags that mean nothing where the mail goes, is kept: it was said to be read."""

import pytest
from django.contrib.auth.models import User

from integrations.inbound.mail.deciding import assign, make_ticket
from integrations.models import MailState
from tests.integrations.inbound.mail.conftest import raw_mail, take
from tickets.models import Note, Ticket

pytestmark = pytest.mark.django_db
BODY = """The fan is loud.

[[MESSAGE]]: [[It is the left one.]]
[[SOLUTION]]: [[New fan]]
[[COLOUR]]: [[Grey]]

Please call me."""
WORDS = ("The fan is loud.", "It is the left one.", "New fan", "Grey", "Please call me.")


@pytest.fixture
def agent():
    return User.objects.create_superuser("agent")


def unclear(support, **headers):
    """Of somebody whom nobody knows."""
    row = take(raw_mail(**{"From": "Stan <stan@nowhere.test>", "body": BODY, **headers}), support)
    assert row.state == MailState.UNCLEAR
    return row


@pytest.mark.parametrize("number", ["1001", "1001-1"])
@pytest.mark.parametrize("body", [BODY, "[[SOLUTION]]: [[New fan]]", "[[MESSAGE]]: [[New fan]]\n\nGrey"])
def test_an_assigned_mail_is_a_note_with_all_its_words(task, support, agent, number, body):
    assign(unclear(support, body=body), number, by=agent)
    note = Note.objects.get()
    assert all(word in note.body for word in WORDS if word in body), note.body
    assert note.visibility == "internal"


def test_an_assigned_mail_of_the_contact_is_a_note_with_all_its_words(task, support, agent):
    row = unclear(support)
    type(row).objects.update(sender="emil@customer.test")
    task.ticket.contact.email = "stan@nowhere.test"
    task.ticket.contact.save()
    assign(row, "1001", by=agent)
    assert all(word in Note.objects.get().body for word in WORDS)


def test_a_mail_of_the_contact_is_a_note_with_all_its_words(task, support):
    row = take(raw_mail(Subject="[TicketId:1001]", body=BODY), support)
    assert row.state == MailState.HANDLED
    note = Note.objects.get()
    assert all(word in note.body for word in WORDS)
    task.refresh_from_db()
    assert task.solution == ""


def test_a_new_ticket_says_all_but_what_was_chosen_by_tags(task, support):
    take(raw_mail(body=f"{BODY}\n[[TITLE]]: [[Loud fan]]"), support)
    ticket = Ticket.objects.get(title="Loud fan")
    assert all(word in ticket.description for word in WORDS)
    assert "TITLE" not in ticket.description


def test_a_ticket_made_by_a_person_says_all(task, support, agent):
    make_ticket(unclear(support), by=agent)
    assert all(word in Ticket.objects.latest("pk").description for word in WORDS)


@pytest.mark.parametrize(
    "body", [BODY, "Loud.\n[[OPERATION]]: [[Update]]\n[[MESSAGE]]: [[The left one]]", "[[COLOUR]]: [[Grey]]\nLoud."]
)
def test_a_desks_mail_that_a_person_vouches_for_keeps_its_words(task, support, agent, body):
    row = take(raw_mail(From="desk@partner.test", Subject="x", body=body), support)
    assert row.state == MailState.UNCLEAR
    assign(row, "1001-1", by=agent)
    task.refresh_from_db()
    there = "\n".join([*Note.objects.values_list("body", flat=True), task.solution])
    words = (*WORDS, "Loud.", "The left one")
    assert all(word in there for word in words if word in body), there


def test_a_desks_reason_does_not_take_the_place_of_its_words(task, support, agent):
    body = "We do not have that part.\n[[OPERATION]]: [[Reject]]\n[[REASON]]: [[Not ours]]"
    row = take(raw_mail(From="desk@partner.test", Subject="x", body=body), support)
    assign(row, "1001-1", by=agent)
    said = str([*Note.objects.values_list("body", flat=True), *task.ticket.history.values_list("text", flat=True)])
    assert "We do not have that part." in said
    assert "Not ours" in said
