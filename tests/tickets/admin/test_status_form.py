"""Setting a ticket's status on its page, holds, deadlines, and what becomes of the tasks."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Desk
from tests.tickets.admin.conftest import fresh, page_of
from tickets import actions
from tickets.lifecycle import STATUS_TRANSITIONS, Phase, TicketStatus
from tickets.models import OwnCompletionCode, OwnStatus

Send = Callable[..., Any]


def own(status: int) -> str:
    return str(OwnStatus.default_of(status).pk)


@pytest.mark.parametrize("status", [status for status in TicketStatus if status != TicketStatus.MERGED])
def test_exactly_the_statuses_of_the_table_are_offered(desk: Desk, agent: Client, status: TicketStatus) -> None:
    ticket = desk.ticket()
    actions.set_status(actor=desk.by_agent, ticket=ticket, status=status)
    groups = agent.get(page_of(ticket), {"do": "set_status"}).context["opened"].fields["status"].choices
    assert [name for name, _choices in groups] == [str(status.label) for status in STATUS_TRANSITIONS[status]]


def test_an_own_status_is_set_with_its_fixed_one_and_named_first(desk: Desk, agent: Client, send: Send) -> None:
    parts = OwnStatus.objects.create(name="Waiting for parts", code="parts", status=TicketStatus.AWAITING_EXTERNAL)
    ticket = desk.ticket()
    assert send(ticket, "set_status", status=parts.pk).status_code == 302
    assert (fresh(ticket).status, fresh(ticket).own_status) == (TicketStatus.AWAITING_EXTERNAL, parts)
    page = agent.get(page_of(ticket)).content.decode()
    assert page.index("Waiting for parts") < page.index("(Awaiting external action)") < page.index("Returns to")


def test_a_hold_needs_a_comment_and_a_time_to_come(desk: Desk, agent: Client, send: Send) -> None:
    ticket = desk.ticket()
    hold = own(TicketStatus.ON_HOLD)
    assert "Say what the ticket waits for." in send(ticket, "set_status", status=hold).content.decode()
    past = send(ticket, "set_status", status=hold, on_hold_comment="Parts", on_hold_until="2020-01-01T10:00")
    assert "over already" in past.content.decode()
    tomorrow = timezone.localtime(timezone.now() + dt.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M")
    send(ticket, "set_status", status=hold, on_hold_comment="Parts", on_hold_until=tomorrow)
    held = fresh(ticket)
    assert (held.status, held.on_hold_comment) == (TicketStatus.ON_HOLD, "Parts")
    assert "Parts" in agent.get(page_of(ticket)).content.decode()


def test_a_hold_typed_beside_another_status_is_refused_in_the_form(desk: Desk, send: Send) -> None:
    ticket = desk.ticket()
    answer = send(ticket, "set_status", status=own(TicketStatus.AWAITING_INTERNAL), on_hold_comment="Parts")
    assert answer.status_code == 422
    assert "Only a ticket on hold" in answer.content.decode()
    assert fresh(ticket).status == TicketStatus.OPEN


def test_what_becomes_of_the_tasks_is_said_before_it_is_done(desk: Desk, agent: Client, send: Send) -> None:
    OwnCompletionCode.objects.create(name="Bought new", code="replaced")
    task = desk.task(desk.service_desk)
    opened = agent.get(page_of(task.ticket), {"do": "set_status"}).context["opened"]
    said = dict(opened.consequences)
    assert task.number in said[TicketStatus.CLOSED]
    assert "as withdrawn" in said[TicketStatus.DELETED]

    closed = own(TicketStatus.CLOSED)
    send(task.ticket, "set_status", status=closed, solution="New one", completion_code="replaced")
    task.refresh_from_db()
    assert (task.phase, task.solution, task.completion_code) == (Phase.CLOSE, "New one", "replaced")
    page = agent.get(page_of(task.ticket))
    assert "<dd>Bought new</dd>" in page.content.decode()
    assert "replaced" not in agent.get(page_of(task.ticket), {"tab": "history"}).content.decode()

    again = agent.get(page_of(task.ticket), {"do": "set_status"}).context["opened"]
    assert f"Reopens {task.number}" in dict(again.consequences)[TicketStatus.OPEN]


def test_a_status_set_meanwhile_is_not_overwritten(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket), {"do": "set_status"}).context["opened"]
    mine = {name: form[name].value() for name in ("version", "token")} | {"do": "set_status"}
    actions.set_status(actor=desk.by_agent, ticket=ticket, status=TicketStatus.AWAITING_INTERNAL)
    answer = agent.post(page_of(ticket), mine | {"status": own(TicketStatus.SPAM)})
    assert answer.status_code == 422
    assert "somebody else" in answer.content.decode()
    assert fresh(ticket).status == TicketStatus.AWAITING_INTERNAL


def test_a_deadline_is_set_and_being_overdue_is_seen(desk: Desk, agent: Client, send: Send) -> None:
    ticket = desk.ticket()
    send(ticket, "edit", deadline_at="2020-01-31T12:00")
    assert fresh(ticket).deadline_at is not None
    assert "overdue" in agent.get(page_of(ticket)).content.decode()
    send(fresh(ticket), "edit", title_text="Another title")
    assert fresh(ticket).deadline_at is not None, "what was not touched stays"
    actions.close_ticket(actor=desk.by_agent, ticket=fresh(ticket))
    assert "overdue" not in agent.get(page_of(ticket)).content.decode()


def test_a_ticket_without_contact_is_shown_and_edited(desk: Desk, agent: Client, send: Send) -> None:
    ticket = actions.create_ticket(actor=desk.by_agent, title="For nobody")
    assert "no contact" in agent.get(page_of(ticket)).content.decode()
    assert send(ticket, "edit", title_text="Still for nobody").status_code == 302
    assert fresh(ticket).contact is None
