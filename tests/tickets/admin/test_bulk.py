"""One thing done to many tickets: said first, refused one by one."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Desk
from tickets import actions
from tickets.events import Event
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import OwnStatus, Queue, Ticket

LIST = "admin:tickets_ticket_changelist"
ACTIONS = ["close_tickets", "sort_tickets", "set_status_of_tickets", "assign_tickets", "tag_tickets"]


def ask(agent: Client, action: str, *tickets: Ticket) -> str:
    """The page that says what will happen."""
    chosen = {"action": action, "_selected_action": [ticket.pk for ticket in tickets]}
    return agent.post(reverse(LIST), chosen).content.decode()


def test_closing_many_first_says_what_it_does_and_does_nothing(
    desk: Desk, agent: Client, events: list[Event]
) -> None:
    task, closed = desk.task(desk.service_desk), actions.close_ticket(actor=desk.by_agent, ticket=desk.ticket())
    events.clear()
    answer = agent.post(reverse(LIST), {"action": "close_tickets", "_selected_action": [task.ticket_id, closed.pk]})
    page = answer.content.decode()
    assert f"closes, with {task.number}" in page
    assert f"Nothing happens to: {closed.number}" in page
    assert events == []


def confirm(agent: Client, action: str, tickets: list[Ticket], **values: Any) -> Any:
    chosen = {"action": action, "_selected_action": [ticket.pk for ticket in tickets]}
    versions = {f"version-{ticket.pk}": ticket.version for ticket in tickets}
    return agent.post(reverse(LIST), {**chosen, **versions, "confirmed": "yes", **values}, follow=True)


def test_one_refused_ticket_does_not_hold_back_the_others(desk: Desk, agent: Client) -> None:
    fine, stale = desk.ticket(), desk.ticket()
    read = Ticket.objects.get(pk=stale.pk)
    actions.change_ticket(actor=desk.by_agent, ticket=stale, title="Changed meanwhile")

    answer = confirm(agent, "close_tickets", [fine, read], completion_code="fulfilled")

    said = [str(message) for message in answer.context["messages"]]
    assert any(stale.number in text and "somebody else" in text for text in said)
    assert "1 ticket is done." in said
    fine.refresh_from_db()
    stale.refresh_from_db()
    assert (fine.is_closed, stale.is_closed) == (True, False)


def test_many_are_sorted_by_the_action_and_something_must_be_chosen(
    desk: Desk, agent: Client, events: list[Event]
) -> None:
    tickets, queue = [desk.ticket(), desk.ticket()], Queue.objects.create(name="Net", code="net")
    events.clear()
    assert "Choose a queue or a priority." in confirm(agent, "sort_tickets", tickets).content.decode()
    assert events == []
    confirm(agent, "sort_tickets", tickets, queue=queue.pk)
    assert [event.name for event in events] == ["ticket_changed", "ticket_changed"]
    assert {ticket.queue for ticket in Ticket.objects.all()} == {queue}


def own(status: int) -> int:
    return OwnStatus.default_of(status).pk


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_first_says_what_it_does_and_does_nothing(
    desk: Desk, agent: Client, events: list[Event], action: str
) -> None:
    ticket = desk.ticket()
    events.clear()
    page = ask(agent, action, ticket)
    assert f'name="version-{ticket.pk}" value="{ticket.version}"' in page
    assert events == []


@pytest.mark.parametrize("action", [action for action in ACTIONS if action != "sort_tickets"])
def test_nothing_happens_to_a_merged_ticket(desk: Desk, agent: Client, action: str) -> None:
    merged, target = desk.ticket(), desk.ticket()
    actions.merge_tickets(actor=desk.by_agent, source=merged, target=target)
    assert f"Nothing happens to: {merged.number}" in ask(agent, action, merged, target)


def test_setting_many_says_what_becomes_of_tasks_and_what_is_refused(desk: Desk, agent: Client) -> None:
    task, spam = desk.task(desk.service_desk), desk.ticket()
    actions.set_status(actor=desk.by_agent, ticket=spam, status=TicketStatus.SPAM)
    page = ask(agent, "set_status_of_tickets", task.ticket, spam)
    assert f"Closed: Closes {task.number} too" in page
    assert "Will be refused: Closed, Awaiting external action, Awaiting internal action, On hold." in page


def test_many_are_put_on_hold_and_what_is_not_allowed_holds_back_no_other(desk: Desk, agent: Client) -> None:
    fine, spam = desk.ticket(), desk.ticket()
    spam = actions.set_status(actor=desk.by_agent, ticket=spam, status=TicketStatus.SPAM)
    hold = {"status": own(TicketStatus.ON_HOLD)}
    assert (
        "Say what the ticket waits for." in confirm(agent, "set_status_of_tickets", [fine], **hold).content.decode()
    )
    answer = confirm(agent, "set_status_of_tickets", [fine, spam], on_hold_comment="Parts", **hold)
    said = [str(message) for message in answer.context["messages"]]
    assert any(spam.number in text and "cannot be set to" in text for text in said)
    statuses = {ticket.pk: (ticket.status, ticket.on_hold_comment) for ticket in Ticket.objects.all()}
    assert statuses == {fine.pk: (TicketStatus.ON_HOLD, "Parts"), spam.pk: (TicketStatus.SPAM, "")}


def test_many_are_closed_by_status_with_a_solution(desk: Desk, agent: Client) -> None:
    task = desk.task(desk.service_desk)
    ticket = Ticket.objects.get(pk=task.ticket_id)
    closed = {"status": own(TicketStatus.CLOSED), "solution": "Water", "completion_code": "fulfilled"}
    confirm(agent, "set_status_of_tickets", [ticket], **closed)
    task.refresh_from_db()
    assert (task.phase, task.solution) == (Phase.CLOSE, "Water")


def test_many_are_assigned_and_tagged(desk: Desk, agent: Client) -> None:
    one, two = desk.ticket(), desk.ticket()
    actions.set_tags(actor=desk.by_agent, ticket=one, names=["vip"])
    assert "now vip" in ask(agent, "tag_tickets", one, two)
    confirm(agent, "tag_tickets", [one, two], tags="Printer, floor 2")
    assert [{tag.name for tag in ticket.tags.all()} for ticket in (one, two)] == [
        {"vip", "Printer", "floor 2"},
        {"Printer", "floor 2"},
    ]
    confirm(agent, "assign_tickets", [one, two], user=desk.agent.pk)
    assert ask(agent, "assign_tickets", one, two).count("now Ada") == 2
    assert "This field is required" in confirm(agent, "tag_tickets", [one], tags=" ").content.decode()
