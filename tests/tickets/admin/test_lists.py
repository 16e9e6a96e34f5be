"""The lists: what they show, find and count, and what is done to many at once."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import actions
from tickets.lifecycle import TicketStatus
from tickets.models import (
    AssignmentGroup,
    Contact,
    Organisation,
    OwnStatus,
    Priority,
    PropertyDefinition,
    Queue,
    Ticket,
)

LIST = "admin:tickets_ticket_changelist"


def shown(answer: Any) -> list[str]:
    return [ticket.number for ticket in answer.context["cl"].result_list]


def live(desk: Desk, ticket: Ticket) -> None:
    """Tags, properties, members and links."""
    by = desk.by_agent
    definition, _made = PropertyDefinition.objects.get_or_create(code="floor", defaults={"name": "Floor"})
    actions.set_tags(actor=by, ticket=ticket, names=[ticket.number, "printer"])
    actions.set_properties(actor=by, ticket=ticket, values={definition.code: "2"})
    actions.set_assigned_user(actor=by, ticket=ticket, user=desk.agent)
    person = Contact.objects.create(name="F", email=f"f{Contact.objects.count()}@x.test")
    actions.add_follower(actor=by, ticket=ticket, contact=person)
    actions.link_tickets(actor=by, ticket=ticket, other=desk.ticket(), kind="related")


def grow(desk: Desk, count: int) -> None:
    """More of everything: tickets with two tasks, notes and files each, contacts, groups."""
    for _ in range(count):
        ticket = desk.ticket()
        number = Contact.objects.count()
        contact = Contact.objects.create(
            name=f"C{number}",
            email=f"c{number}@x.test",
            organisation=Organisation.objects.create(name=f"O{number}"),
        )
        actions.change_ticket(actor=desk.by_agent, ticket=ticket, contact=contact)
        live(desk, ticket)
        for n in range(2):
            group = AssignmentGroup.objects.create(name=f"{ticket.number} {n}", code=f"g{ticket.number}-{n}")
            group.members.add(desk.agent)
            task = desk.task(group, ticket)
            actions.change_task(actor=desk.by_agent, task=task, assignee=desk.agent)
            actions.add_note(
                actor=desk.by_agent,
                ticket=ticket,
                task=task,
                body="Hello",
                files=[actions.FileContent("a.txt", b"1")],
            )


def queries(client: Client, address: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(address).status_code == 200
    return len(captured)


@pytest.mark.parametrize("model", ["ticket", "task", "contact", "assignmentgroup", "organisation", "tag"])
def test_a_list_asks_the_database_as_often_for_many_rows_as_for_few(desk: Desk, agent: Client, model: str) -> None:
    address = reverse(f"admin:tickets_{model}_changelist")
    grow(desk, 2)
    queries(agent, address)
    few = queries(agent, address)
    grow(desk, 8)
    assert queries(agent, address) == few


@pytest.mark.parametrize("query", ["", "?tab=history", "?do=edit", "?do=set_status", "?do=assign&task={task}"])
def test_a_tickets_page_asks_as_often_for_a_long_ticket_as_for_a_short_one(
    desk: Desk, agent: Client, query: str
) -> None:
    ticket = desk.ticket()
    task = desk.task(desk.service_desk, ticket)
    live(desk, ticket)
    address = page_of(ticket) + query.format(task=task.number)
    queries(agent, address)
    short = queries(agent, address)
    for _ in range(6):
        more = desk.task(desk.service_desk, ticket)
        live(desk, ticket)
        actions.add_note(actor=desk.by_agent, ticket=ticket, task=more, body="Hello")
        actions.attach(actor=desk.by_agent, ticket=ticket, content=actions.FileContent("a.txt", b"1"))
        actions.propose_solution(actor=desk.by_agent, task=more, solution="Water")
    grow(desk, 3)
    assert queries(agent, address) == short


def test_a_ticket_is_found_by_number_title_and_contact_but_only_once(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket(title="Router dead")
    desk.ticket(title="Printer dead")
    for _ in range(2):
        desk.task(desk.service_desk, ticket)
    for text in (ticket.number, "router", "ROUTER emil", f"{ticket.number}-2"):
        assert shown(agent.get(reverse(LIST), {"q": text})) == [ticket.number], text
    assert shown(agent.get(reverse(LIST), {"q": "router otto"})) == []


def test_filters_narrow_the_list(desk: Desk, agent: Client) -> None:
    queue, urgent = Queue.objects.create(name="Net", code="net"), Priority.objects.create(code="p1", name="!", rank=1)
    ticket = desk.ticket(queue=queue, priority=urgent)
    other = desk.ticket()
    for _ in range(2):
        task = desk.task(desk.service_desk, ticket)
    actions.change_task(actor=desk.by_agent, task=task, assignee=desk.agent)
    actions.escalate_task(actor=desk.by_agent, task=task)
    for query in (
        {"queue__id__exact": queue.pk},
        {"priority__id__exact": urgent.pk},
        {"group": "service-desk"},
        {"phase": "escalate"},
        {"mine": "1"},
        {"mine": "groups"},
    ):
        assert shown(agent.get(reverse(LIST), query)) == [ticket.number], query
    actions.close_ticket(actor=desk.by_agent, ticket=ticket)
    assert shown(agent.get(reverse(LIST), {"mine": "1"})) == []
    assert shown(agent.get(reverse(LIST), {"status__exact": "1"})) == [other.number]


def test_the_life_of_a_ticket_narrows_the_list(desk: Desk, agent: Client) -> None:
    PropertyDefinition.objects.create(code="site", name="Site", kind="choice", choices="Bern\nBasel")
    PropertyDefinition.objects.create(code="floor", name="Floor", kind="number")
    PropertyDefinition.objects.create(code="remark", name="Remark")
    parts = OwnStatus.objects.create(name="Parts", code="parts", status=TicketStatus.ON_HOLD)
    ticket, other = desk.ticket(), desk.ticket()
    by = desk.by_agent
    actions.set_status(actor=by, ticket=ticket, own_status=parts, on_hold_comment="x")
    actions.set_tags(actor=by, ticket=ticket, names=["vip"])
    actions.set_properties(
        actor=by, ticket=ticket, values={"site": "Bern", "floor": "2.50", "remark": "At the Window"}
    )
    actions.set_assigned_user(actor=by, ticket=ticket, user=desk.agent)
    actions.add_follower(actor=by, ticket=ticket, user=desk.agent)
    yesterday = timezone.now() - timedelta(days=1)
    actions.change_ticket(actor=by, ticket=Ticket.objects.get(pk=ticket.pk), deadline_at=yesterday)
    for query in (
        {"status__exact": "8"},
        {"own_status__id__exact": parts.pk},
        {"tags__id__exact": ticket.tags.get().pk},
        {"assigned_user": desk.agent.pk},
        {"mine": "1"},
        {"mine": "followed"},
        {"deadline": "overdue"},
        {"property_site": "Bern"},
        {"property_floor": "2.5"},
        {"property_remark": "window"},
        {"q": "VIP"},
        {"q": "bern window"},
    ):
        assert shown(agent.get(reverse(LIST), query)) == [ticket.number], query
    for query in ({"assigned_user": "nobody"}, {"deadline": "none"}):
        assert shown(agent.get(reverse(LIST), query)) == [other.number], query
    for query in ({"property_site": "Zug"}, {"property_floor": "upstairs"}, {"q": "basel"}, {"deadline": "day"}):
        assert shown(agent.get(reverse(LIST), query)) == [], query
    page = agent.get(reverse(LIST)).content.decode()
    assert all(words in page for words in ("overdue", "Parts", "vip"))


def test_a_property_that_is_switched_off_is_no_filter(desk: Desk, agent: Client) -> None:
    PropertyDefinition.objects.create(code="floor", name="Storey of the house", active=False)
    assert "Storey of the house" not in agent.get(reverse(LIST)).content.decode()


def test_a_ticket_without_contact_is_listed(desk: Desk, agent: Client) -> None:
    ticket = actions.create_ticket(actor=desk.by_agent, title="For nobody")
    assert shown(agent.get(reverse(LIST), {"q": "nobody"})) == [ticket.number]


def test_the_list_says_in_words_where_a_ticket_is(desk: Desk, agent: Client) -> None:
    desk.task(desk.service_desk)
    page = agent.get(reverse(LIST)).content.decode()
    assert "Being worked on" in page
    assert "Service desk" in page
