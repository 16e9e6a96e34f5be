"""Tickets: create, change, close, reopen."""

import pytest

from tests.cast import Desk
from tickets import actions
from tickets.errors import Conflict, InvalidInput, TransitionRefused
from tickets.events import Event, EventName
from tickets.lifecycle import CompletionCode, Phase, TicketStatus
from tickets.models import History, Priority, Queue, Ticket


def names(events: list[Event]) -> list[EventName]:
    return [event.name for event in events]


def test_tickets_are_numbered_one_after_the_other(desk: Desk) -> None:
    first, second, third = (int(desk.ticket().number) for _ in range(3))
    assert (second, third) == (first + 1, first + 2)


def test_a_refused_ticket_uses_up_no_number(desk: Desk) -> None:
    first = int(desk.ticket().number)
    with pytest.raises(InvalidInput):
        desk.ticket(title=" ")
    assert int(desk.ticket().number) == first + 1


def test_a_new_ticket_is_open_has_history_and_is_told(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket(title="  No power ")

    assert (ticket.title, ticket.status, ticket.version) == ("No power", TicketStatus.OPEN, 1)
    row = History.objects.get(ticket=ticket)
    assert (row.event, row.author_name, row.actor_kind) == ("ticket_created", "Ada", "agent")
    assert names(events) == [EventName.TICKET_CREATED]
    assert events[0].actor == desk.by_agent


@pytest.mark.parametrize("title", ["", "   ", "x" * 251])
def test_a_title_is_required_and_limited(desk: Desk, title: str, events: list[Event]) -> None:
    with pytest.raises(InvalidInput):
        desk.ticket(title=title)
    assert not Ticket.objects.exists()
    assert events == []


def test_without_a_priority_the_default_applies_else_the_least_urgent(desk: Desk) -> None:
    low = Priority.objects.create(code="p4", name="Low", rank=4)
    assert desk.ticket().priority == desk.priority
    Priority.objects.update(is_default=False)
    assert desk.ticket().priority == low


def test_without_any_priority_the_text_says_who_can_help(desk: Desk) -> None:
    Priority.objects.all().delete()
    with pytest.raises(InvalidInput, match="administrator"):
        desk.ticket()


def test_a_change_is_told_with_before_and_after(desk: Desk, events: list[Event]) -> None:
    ticket, queue = desk.ticket(), Queue.objects.create(name="Hardware", code="hardware")
    events.clear()

    changed = actions.change_ticket(actor=desk.by_agent, ticket=ticket, title="It smoulders", queue=queue)

    assert changed.version == 2
    assert events[0].changes == {"title": ("The printer is on fire", "It smoulders"), "queue": (None, queue)}
    rows = History.objects.filter(ticket=ticket, event="ticket_changed").values_list("field", "old", "new")
    assert set(rows) == {("title", "The printer is on fire", "It smoulders"), ("queue", "", "Hardware")}


def test_what_does_not_differ_is_no_change(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket()
    events.clear()
    same = actions.change_ticket(actor=desk.by_agent, ticket=ticket, title=ticket.title, contact=ticket.contact)
    assert same.version == ticket.version
    assert events == []


def test_a_change_cannot_remove_the_title_or_set_what_is_not_editable(desk: Desk) -> None:
    ticket = desk.ticket()
    with pytest.raises(InvalidInput):
        actions.change_ticket(actor=desk.by_agent, ticket=ticket, title=" ")
    with pytest.raises(InvalidInput, match="250"):
        actions.change_ticket(actor=desk.by_agent, ticket=ticket, title="x" * 251)
    with pytest.raises(TypeError, match="status"):
        actions.change_ticket(actor=desk.by_agent, ticket=ticket, status=TicketStatus.SPAM)


def test_who_read_an_older_version_overwrites_nothing(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket()
    actions.change_ticket(actor=desk.by_agent, ticket=ticket, title="First", expected_version=1)
    events.clear()

    for action in (actions.change_ticket, actions.close_ticket):
        with pytest.raises(Conflict, match="Reload"):
            action(actor=desk.by_agent, ticket=ticket, expected_version=1)

    ticket.refresh_from_db()
    assert (ticket.title, ticket.version, ticket.status) == ("First", 2, TicketStatus.OPEN)
    assert events == []


def test_closing_closes_the_open_tasks_first_and_says_why(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket()
    done, open_task = desk.task(ticket=ticket), desk.task(ticket=ticket)
    actions.close_task(actor=desk.by_agent, task=done)
    events.clear()

    closed = actions.close_ticket(
        actor=desk.by_agent, ticket=ticket, solution="Gave up", completion_code=CompletionCode.WITHDRAWN
    )

    assert names(events) == [EventName.TASK_CLOSED, EventName.TICKET_CLOSED]
    assert events[0].task == open_task
    open_task.refresh_from_db()
    assert (open_task.phase, open_task.completion_code) == (Phase.CLOSE, CompletionCode.WITHDRAWN)
    assert closed.status == TicketStatus.CLOSED
    assert closed.closed_at


def test_a_ticket_without_tasks_can_be_closed_once(desk: Desk) -> None:
    ticket = actions.close_ticket(actor=desk.by_agent, ticket=desk.ticket())
    with pytest.raises(TransitionRefused, match="closed already"):
        actions.close_ticket(actor=desk.by_agent, ticket=ticket)


def test_reopening_opens_the_task_that_was_closed_last(desk: Desk, events: list[Event]) -> None:
    ticket = desk.ticket()
    first, last = desk.task(ticket=ticket), desk.task(ticket=ticket)
    actions.close_task(actor=desk.by_agent, task=last)
    actions.close_task(actor=desk.by_agent, task=first)
    events.clear()

    reopened = actions.reopen_ticket(actor=desk.by_end_user, ticket=ticket, reason="Smoke again")

    assert (reopened.status, reopened.closed_at) == (TicketStatus.OPEN, None)
    assert [(event.name, event.text) for event in events] == [
        (EventName.TASK_REOPENED, "Smoke again"),
        (EventName.TICKET_REOPENED, "Smoke again"),
    ]
    assert events[0].task == first


def test_an_open_ticket_cannot_be_reopened(desk: Desk) -> None:
    with pytest.raises(TransitionRefused, match="Only a closed"):
        actions.reopen_ticket(actor=desk.by_agent, ticket=desk.ticket())
