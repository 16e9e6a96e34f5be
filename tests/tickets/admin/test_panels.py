"""What other packages put on the desk's screens, and the search that they extend."""

from typing import Any

import pytest
from django.db.models import Q
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import TabularInline

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import panels
from tickets.filters import TicketFilter, search_tickets
from tickets.models import AssignmentGroup, Queue, Task, Ticket
from tickets.panels import Badge


@pytest.fixture(autouse=True)
def nothing_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Start from empty registries, and put back what was there."""
    for name, empty in (
        ("_ticket_panels", {}),
        ("_task_badges", []),
        ("_group_inlines", []),
        ("_searches", []),
        ("_public_facts", []),
        ("_partner_checks", {}),
    ):
        monkeypatch.setattr(panels, name, empty)


def test_a_panel_is_a_tab_in_its_order_and_only_drawn_when_it_is_opened(desk: Desk, agent: Client) -> None:
    drawn: list[str] = []

    def draw(request: HttpRequest, ticket: Ticket) -> Any:
        drawn.append(ticket.number)
        return format_html("<p>lanes of {}</p>", ticket.title)

    panels.register_ticket_panel("late", "Late", draw, order=200)
    panels.register_ticket_panel("exchanges", "Exchanges", draw, order=10)
    ticket = desk.ticket(title="<b>")

    tabs = [name for name, _title in agent.get(page_of(ticket)).context["tabs"]]
    assert tabs == ["conversation", "exchanges", "late", "history"]
    assert drawn == []
    assert "<p>lanes of &lt;b&gt;</p>" in agent.get(page_of(ticket), {"tab": "exchanges"}).content.decode()


def test_badges_of_all_tasks_are_asked_for_at_once(desk: Desk, agent: Client) -> None:
    asked: list[int] = []

    def badges(tasks: list[Task]) -> dict[int, list[Badge]]:
        asked.append(len(tasks))
        return {tasks[0].pk: [Badge("INC<1>", "info", "/somewhere/")]}

    panels.register_task_badge(badges)
    panels.register_task_badge(badges)
    ticket = desk.ticket()
    for _ in range(3):
        desk.task(desk.service_desk, ticket)
    page = agent.get(page_of(ticket)).content.decode()
    assert asked == [3]
    assert 'href="/somewhere/"' in page
    assert "INC&lt;1&gt;" in page


def test_an_inline_stands_on_the_groups_page(desk: Desk, agent: Client) -> None:
    class TaskInline(TabularInline):
        model = Task
        fk_name = "group"
        fields = ["title"]

    panels.register_group_inline(TaskInline)
    page = agent.get(reverse("admin:tickets_assignmentgroup_change", args=[desk.service_desk.pk]))
    assert 'name="tasks-TOTAL_FORMS"' in page.content.decode()


def test_a_registered_search_finds_tickets_by_what_the_desk_does_not_know(desk: Desk) -> None:
    ticket, _other = desk.ticket(), desk.ticket()
    assert not search_tickets(Ticket.objects.all(), "INC42").exists()
    panels.register_search(lambda word: Q(description__contains="Smoke", pk=ticket.pk) if word == "INC42" else Q())
    assert list(search_tickets(Ticket.objects.all(), "printer INC42")) == [ticket]


def test_facts_for_the_contact_come_from_every_package(desk: Desk) -> None:
    panels.register_public_facts(lambda ticket: [("Reference", f"INC-{ticket.number}")])
    panels.register_public_facts(lambda ticket: [("Colour", "red")])
    ticket = desk.ticket()
    assert panels.public_facts(ticket) == [("Reference", f"INC-{ticket.number}"), ("Colour", "red")]


def test_what_a_partner_check_needs_is_loaded_with_the_tasks(desk: Desk) -> None:
    panels.register_partner_check(lambda task: True, relations=("group", "owning_group"))
    assert panels.partner_relations() == ("group", "owning_group")
    assert panels.is_with_partner(desk.task())


def test_the_filter_narrows_and_says_what_is_wrong(desk: Desk) -> None:
    queue = Queue.objects.create(name="Net", code="net")
    ticket, _other = desk.ticket(queue=queue), desk.ticket()
    assert list(TicketFilter({"queue": queue.pk, "search": "printer", "status": 1}, Ticket.objects.all()).qs) == [
        ticket
    ]
    assert not TicketFilter({"status": 2}, Ticket.objects.all()).qs.exists()
    assert set(TicketFilter({"queue": "nonsense", "status": "x"}, Ticket.objects.all()).errors) == {"queue", "status"}


def test_a_search_lists_a_ticket_with_several_tasks_once(desk: Desk) -> None:
    ticket = desk.ticket()
    group = AssignmentGroup.objects.create(name="G", code="g")
    for _ in range(3):
        desk.task(group, ticket)
    assert search_tickets(Ticket.objects.all(), "printer").count() == 1
    assert search_tickets(Ticket.objects.all(), "  ").count() == 1
