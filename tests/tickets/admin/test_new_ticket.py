"""An agent creates a ticket, with its first task and files."""

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests.cast import Desk
from tickets.events import Event, happened
from tickets.models import Attachment, Task, Ticket

ADD = "admin:tickets_ticket_add"


def fill(agent: Client, **values: Any) -> dict[str, Any]:
    """The form as the browser has it, with these values."""
    form = agent.get(reverse(ADD)).context["form"]
    return {"token": form["token"].value(), "title_text": "No power", "description": "", **values}


def test_the_first_task_goes_to_the_chosen_group_after_the_files(
    desk: Desk, agent: Client, events: list[Event]
) -> None:
    values = fill(
        agent,
        contact=desk.contact.pk,
        description="  Since noon\n",
        group=desk.service_desk.pk,
        files=[SimpleUploadedFile("plan.pdf", b"%PDF")],
    )

    answer = agent.post(reverse(ADD), values)

    ticket = Ticket.objects.get()
    assert answer["Location"] == reverse("admin:tickets_ticket_change", args=[ticket.pk])
    assert [event.name for event in events] == ["ticket_created", "attachment_added", "task_created", "task_assigned"]
    assert (ticket.description, ticket.priority, Attachment.objects.get().name) == (
        "  Since noon\n",
        desk.priority,
        "plan.pdf",
    )
    assert Task.objects.get().group == desk.service_desk


def test_without_a_group_there_is_no_task_yet(desk: Desk, agent: Client) -> None:
    agent.post(reverse(ADD), fill(agent, contact=desk.contact.pk))
    page = agent.get(reverse("admin:tickets_ticket_change", args=[Ticket.objects.get().pk])).content.decode()
    assert "nobody works on this ticket" in page


def test_what_is_missing_is_said_at_its_field_and_the_rest_is_kept(desk: Desk, agent: Client) -> None:
    answer = agent.post(reverse(ADD), fill(agent, description="Kept text"))
    assert answer.status_code == 422
    assert set(answer.context["form"].errors) == {"contact"}
    assert "Kept text</textarea>" in answer.content.decode()


def test_a_refused_ticket_leaves_nothing_behind(desk: Desk, agent: Client) -> None:
    desk.priority.delete()
    answer = agent.post(reverse(ADD), fill(agent, contact=desk.contact.pk))
    assert answer.status_code == 422
    assert "There are no priorities yet" in answer.content.decode()
    assert not Ticket.objects.exists()


def test_a_task_that_cannot_be_created_undoes_the_ticket(desk: Desk, agent: Client) -> None:
    def fail(event: Event, **_kwargs: object) -> None:
        if event.name == "task_assigned":
            raise RuntimeError("no room in the outbox")

    happened.connect(fail)
    try:
        with pytest.raises(RuntimeError, match="no room"):
            agent.post(reverse(ADD), fill(agent, contact=desk.contact.pk, group=desk.service_desk.pk))
    finally:
        happened.disconnect(fail)
    assert not Ticket.objects.exists()


def test_a_double_click_creates_one_ticket(desk: Desk, agent: Client) -> None:
    values = fill(agent, contact=desk.contact.pk)
    first, second = (agent.post(reverse(ADD), values)["Location"] for _ in range(2))
    assert first == second
    assert Ticket.objects.count() == 1


def test_contacts_are_found_by_typing(desk: Desk, agent: Client) -> None:
    asked = {"app_label": "tickets", "model_name": "ticket", "field_name": "contact", "term": "emil"}
    found = agent.get(reverse("admin:autocomplete"), asked).json()["results"]
    assert [row["id"] for row in found] == [str(desk.contact.pk)]
