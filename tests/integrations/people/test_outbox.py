"""What is changed about a contact here is changed at the desks that know them, whatever is down."""

import pytest
from django.db import transaction

from integrations.models import ContactReference, ContactUpdate, Exchange
from integrations.people import outbox
from integrations.tasks import sweep
from tickets.models import Contact

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def known(desk, partner, people):
    """The contact, whom the partner knows as u1."""
    number = people.add(name="Emil Ende", email="emil@customer.test")
    ContactReference.objects.create(contact=desk.contact, system=partner.system, value=number)
    return desk.contact


def rename(contact, name):
    contact.name = name
    contact.save()


def send_all():
    return [outbox.send(pk) for pk in ContactUpdate.objects.values_list("pk", flat=True)]


def test_a_new_name_goes_there(known, people):
    rename(known, "Emil Anders")
    assert send_all() == [True]
    assert people.rows[0]["name"] == "Emil Anders"
    assert not ContactUpdate.objects.exists()
    assert Exchange.objects.get().operation == "update_contact"


def test_what_other_desks_are_not_told_is_no_change(known):
    known.save()
    known.organisation = None
    known.save()
    assert not ContactUpdate.objects.exists()


def test_it_is_undone_with_the_change(known):
    with pytest.raises(RuntimeError), transaction.atomic():
        rename(known, "Nobody")
        raise RuntimeError
    assert not ContactUpdate.objects.exists()


@pytest.mark.parametrize("missing", ["switch", "operation", "number"])
def test_nothing_is_due_where_nothing_can_be_told(known, partner, missing):
    match missing:
        case "switch":
            type(partner.system).objects.update(updates_contacts=False)
        case "operation":
            partner.system.operations.filter(name="update_contact").delete()
        case "number":
            ContactReference.objects.all().delete()
    rename(known, "Emil Anders")
    assert not ContactUpdate.objects.exists()


def test_a_desk_that_is_down_gets_it_later(known, partner, people, monkeypatch):
    people.status = 503
    rename(known, "Emil Anders")
    send_all()
    row = ContactUpdate.objects.get()
    assert (row.failures, row.due_at is not None) == (1, True)
    assert "503" in row.last_error
    assert send_all() == [False], "it is not due yet"
    people.status = 200
    ContactUpdate.objects.update(due_at=row.changed_at)
    sent = []
    monkeypatch.setattr("integrations.tasks.enqueue", lambda pk, task="", **_rest: sent.append((task, pk)))
    sweep()
    assert sent == [(outbox.SEND, row.pk)]
    send_all()
    assert people.rows[0]["name"] == "Emil Anders"


def test_what_is_refused_waits_for_a_person(known, people):
    people.status = 400
    rename(known, "Emil Anders")
    send_all()
    assert list(outbox.given_up().values_list("failures", flat=True)) == [1]
    people.status = 200
    rename(known, "Emil Anderson")
    send_all()
    assert people.rows[0]["name"] == "Emil Anderson"


def test_a_change_while_the_last_one_is_on_its_way_is_sent_too(known, people, monkeypatch):
    rename(known, "First")
    real = outbox.call

    def meanwhile(operation, context):
        called = real(operation, context)
        rename(Contact.objects.get(pk=known.pk), "Second")
        return called

    monkeypatch.setattr(outbox, "call", meanwhile)
    send_all()
    monkeypatch.undo()
    assert people.rows[0]["name"] == "First"
    assert send_all() == [True]
    assert (people.rows[0]["name"], ContactUpdate.objects.count()) == ("Second", 0)


@pytest.mark.parametrize("switch", ["active", "updates_contacts"])
def test_a_desk_that_is_switched_off_waits(known, partner, people, switch):
    rename(known, "Emil Anders")
    type(partner.system).objects.update(**{switch: False})
    assert send_all() == [False]
    assert people.rows[0]["name"] == "Emil Ende"
    type(partner.system).objects.update(**{switch: True})
    assert send_all() == [True]
