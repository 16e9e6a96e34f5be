"""What end users see of the desk that works on their ticket, and what they may do meanwhile."""

import pytest
from django.test import Client
from django.utils import timezone

from integrations.engine.references import store_reference
from integrations.inbound import operations
from integrations.models import ExternalReference, ProcessRun, TheirTicket, ValueMapping
from tickets import actions
from tickets.actors import Actor
from tickets.errors import TransitionRefused
from tickets.models import Attachment, Task
from tickets.panels import contact_limits, public_facts

pytestmark = pytest.mark.django_db

WHERE = ["system", "binding"]


@pytest.fixture
def task(desk, partner):
    """A task at the partner as A-1, in progress there, with a note and a file of theirs."""
    task = desk.task(partner.group)
    store_reference(task=task, system=partner.system, value="A-1")
    TheirTicket.objects.create(
        reference=ExternalReference.objects.get(),
        values={"status": "2", "status_label": "Work in progress"},
        seen_at=timezone.now(),
    )
    by = Actor.external(key=partner.system.actor_key, name="Petra")
    file = actions.FileContent("theirs.txt", b"x")
    actions.add_note(actor=by, ticket=task.ticket, task=task, body="We have ordered the part", files=[file])
    return task


@pytest.fixture
def contact(desk):
    """The ticket's contact in front of the portal."""
    client = Client()
    client.force_login(desk.end_user)
    return client


def switch_off(partner, where, name):
    row = getattr(partner, where)
    setattr(row, name, False)
    row.save()


def page(contact, task):
    return contact.get(f"/tickets/{task.ticket.number}/").content.decode()


def test_the_contact_reads_number_status_and_notes_of_the_other_desk(contact, task, partner):
    content = page(contact, task)
    for text in ("A-1", "Status at Partner acme", "Work in progress", "We have ordered the part", "theirs.txt"):
        assert text in content


def test_the_status_is_called_as_the_value_map_says(task, partner):
    ValueMapping.objects.create(
        system=partner.system, kind="status", ours="", theirs="2", way="in", label="Being repaired"
    )
    assert ("Status at Partner acme", "Being repaired") in public_facts(task.ticket)


def test_two_tasks_at_one_desk_are_told_apart(desk, task, partner):
    other = desk.task(partner.group, task.ticket)
    store_reference(task=other, system=partner.system, value="A-2")
    reference = ExternalReference.objects.get(value="A-2")
    TheirTicket.objects.create(reference=reference, values={"status": "new"}, seen_at=timezone.now())
    assert public_facts(task.ticket) == [
        ("Reference at Partner acme", "A-1, A-2"),
        ("Status at Partner acme", "A-1: Work in progress, A-2: new"),
    ]


@pytest.mark.parametrize("where", WHERE)
def test_what_was_kept_from_them_stays_so_when_the_integration_is_switched_off(contact, task, partner, where):
    switch_off(partner, where, "contacts_read")
    switch_off(partner, "binding", "integrated")
    content = page(contact, task)
    for text in ("Work in progress", "We have ordered the part", "theirs.txt"):
        assert text not in content
    # What the desk would be disturbed by is free again: nobody works on it there.
    switch_off(partner, "binding", "contacts_write")
    assert not contact_limits(task.ticket).write


@pytest.mark.parametrize("where", WHERE)
def test_without_the_permission_status_notes_and_files_are_not_theirs_to_read(contact, task, partner, where):
    switch_off(partner, where, "contacts_read")
    content = page(contact, task)
    for text in ("Work in progress", "We have ordered the part", "theirs.txt"):
        assert text not in content
    assert "A-1" in content
    file = Attachment.objects.get()
    assert contact.get(f"/tickets/{task.ticket.number}/files/{file.pk}/").status_code == 404


def test_what_was_not_theirs_to_read_stays_so_when_the_task_is_given_to_others(desk, contact, task, partner):
    switch_off(partner, "binding", "contacts_read")
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    assert "We have ordered the part" not in page(contact, task)


@pytest.mark.parametrize("where", WHERE)
def test_why_the_desk_has_opened_the_ticket_again_is_not_theirs_to_read(contact, task, partner, where):
    operations.close(system=partner.system, task=task, solution="Replaced")
    operations.reopen(system=partner.system, task=task, reason="Only between us")
    assert "Only between us" in page(contact, task)
    switch_off(partner, where, "contacts_read")
    content = page(contact, task)
    assert "reopened the ticket" in content
    assert "Only between us" not in content


@pytest.mark.parametrize("where", WHERE)
def test_a_desk_that_has_rejected_the_task_is_not_read_either(contact, task, partner, where):
    """Nothing but its words is left of it, where no process has told it of the task."""
    switch_off(partner, where, "contacts_read")
    operations.reject(system=partner.system, task=task, reason="Not ours")
    ProcessRun.objects.all().delete()
    content = page(contact, task)
    for text in ("We have ordered the part", "theirs.txt", "Not ours"):
        assert text not in content


@pytest.mark.parametrize("where", WHERE)
def test_a_desk_that_has_raised_the_ticket_is_not_read_either(desk, contact, partner, where):
    switch_off(partner, where, "contacts_read")
    operations.create(system=partner.system, reference="B-1", title="Help", contact=desk.contact)
    operations.update(system=partner.system, task=Task.objects.get(), text="Only between us")
    assert "Only between us" not in page(contact, Task.objects.get())


@pytest.mark.parametrize("where", WHERE)
def test_without_the_permission_nothing_is_added(desk, contact, task, partner, where):
    switch_off(partner, where, "contacts_write")
    content = page(contact, task)
    assert "takes no messages from here" in content
    assert "Add information" not in content
    answer = contact.post(f"/tickets/{task.ticket.number}/note/", {"body": "Hello", "token": ""})
    assert answer.status_code == 422
    with pytest.raises(TransitionRefused, match="takes no messages"):
        actions.add_note(actor=desk.by_end_user, ticket=task.ticket, body="Hello")
    with pytest.raises(TransitionRefused, match="takes no messages"):
        actions.attach(actor=desk.by_end_user, ticket=task.ticket, content=actions.FileContent("a", b"x"))
    actions.add_note(actor=desk.by_agent, ticket=task.ticket, body="Agents write as ever")


@pytest.mark.parametrize("where", WHERE)
def test_without_the_permission_it_is_not_closed_by_them(desk, contact, task, partner, where):
    switch_off(partner, where, "contacts_close")
    content = page(contact, task)
    assert "you can close it when that is done" in content
    assert "Close this ticket" not in content
    with pytest.raises(TransitionRefused, match="works on this ticket"):
        actions.close_ticket(actor=desk.by_end_user, ticket=task.ticket)
    actions.close_ticket(actor=desk.by_agent, ticket=task.ticket)


def test_a_note_is_refused_with_the_sentence_and_kept(contact, task, partner):
    """The page was open while the administrator switched it off."""
    token = page(contact, task).partition('name="token" value="')[2][:36]
    switch_off(partner, "system", "contacts_write")
    answer = contact.post(f"/tickets/{task.ticket.number}/note/", {"body": "My long text", "token": token})
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "takes no messages from here" in content
    assert "My long text" in content


def test_it_holds_only_while_the_desk_works_on_it(desk, task, partner):
    switch_off(partner, "system", "contacts_write")
    switch_off(partner, "system", "contacts_close")
    assert contact_limits(task.ticket).write
    actions.assign_task(actor=desk.by_agent, task=task, group=desk.service_desk)
    assert (contact_limits(task.ticket).write, contact_limits(task.ticket).close) == ("", "")


def test_the_number_of_queries_does_not_grow(desk, contact, task, partner, django_assert_max_num_queries):
    page(contact, task)
    with django_assert_max_num_queries(60) as few:
        page(contact, task)
    for number in range(2, 7):
        other = desk.task(partner.group, task.ticket)
        store_reference(task=other, system=partner.system, value=f"A-{number}")
        reference = ExternalReference.objects.get(value=f"A-{number}")
        TheirTicket.objects.create(reference=reference, values={"status": "2"}, seen_at=timezone.now())
    with django_assert_max_num_queries(len(few)):
        page(contact, task)
