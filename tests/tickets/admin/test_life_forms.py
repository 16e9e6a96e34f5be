"""What an agent does on a ticket's page with its status, people, labels and links."""

import datetime as dt
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import actions
from tickets.lifecycle import STATUS_TRANSITIONS, Phase, TicketStatus
from tickets.models import Link, Member, MemberRole, OwnCompletionCode, OwnStatus, PropertyDefinition, Ticket

Send = Callable[..., Any]


def fresh(ticket: Ticket) -> Ticket:
    return Ticket.objects.get(pk=ticket.pk)


def own(status: int) -> str:
    return str(OwnStatus.default_of(status).pk)


@pytest.fixture
def properties(desk: Desk) -> None:
    make = PropertyDefinition.objects.create
    make(code="floor", name="Floor", kind="number")
    make(code="site", name="Site", kind="choice", choices="Bern\nBasel")
    make(code="warranty", name="Warranty", kind="yes_no")
    make(code="since", name="Since", kind="date")
    make(code="remark", name="Remark")


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


def test_somebody_looks_after_the_ticket_and_those_who_did_are_kept(desk: Desk, agent: Client, send: Send) -> None:
    ticket = desk.ticket()
    send(ticket, "assign_user", user=desk.agent.pk)
    send(ticket, "assign_user", user="")
    assert "not one of the available" in send(ticket, "assign_user", user=desk.end_user.pk).content.decode()
    member = Member.objects.get(ticket=ticket, role=MemberRole.ASSIGNED)
    assert (member.user, member.is_active) == (desk.agent, False)
    assert [m.pk for m in agent.get(page_of(ticket)).context["facts"].earlier] == [member.pk]


def press(agent: Client, ticket: Ticket, form: Any) -> Any:
    """A button of the page."""
    values = {field.name: field.value() for field in form} | {"do": form.name}
    return agent.post(page_of(ticket), values)


def test_following_and_no_longer_following_is_one_click(desk: Desk, agent: Client) -> None:
    ticket = desk.ticket()
    facts = agent.get(page_of(ticket)).context["facts"]
    assert press(agent, ticket, facts.follow).status_code == 302
    facts = agent.get(page_of(ticket)).context["facts"]
    assert facts.follow is None
    assert [(row.what.user, str(row.words)) for row in facts.followers] == [(desk.agent, "you")]
    press(agent, ticket, facts.followers[0].remove)
    assert not Member.objects.filter(role=MemberRole.FOLLOWER, ended_at=None).exists()


def test_a_follower_is_an_agent_or_a_contact_never_both(desk: Desk, send: Send) -> None:
    ticket = desk.ticket()
    nobody = send(ticket, "add_follower")
    both = send(ticket, "add_follower", user=desk.agent.pk, contact=desk.outsider.contact.pk)
    for refused in (nobody, both):
        assert "either an agent or a contact" in refused.content.decode()
    send(ticket, "add_follower", contact=desk.outsider.contact.pk)
    assert Member.objects.get(role=MemberRole.FOLLOWER).contact == desk.outsider.contact


def test_anothers_follower_and_anothers_link_are_not_removed_from_here(desk: Desk, agent: Client) -> None:
    ticket, one, two = desk.ticket(), desk.ticket(), desk.ticket()
    member = actions.add_follower(actor=desk.by_agent, ticket=one, user=desk.agent)
    link = actions.link_tickets(actor=desk.by_agent, ticket=one, other=two, kind="related")
    token = {"token": "0" * 32, "version": ticket.version}
    for values in ({"do": "end_follower", "member": member.pk}, {"do": "unlink", "link": link.pk}):
        assert agent.post(page_of(ticket), values | token).status_code == 422
    member.refresh_from_db()
    assert member.is_active
    assert Link.objects.filter(pk=link.pk).exists()


def test_tags_changed_by_two_at_once_are_both_kept(desk: Desk, agent: Client, send: Send) -> None:
    ticket = desk.ticket()
    actions.set_tags(actor=desk.by_agent, ticket=ticket, names=["old", "vip"])
    form = agent.get(page_of(ticket), {"do": "tags"}).context["opened"]
    mine = {field.name: field.value() for field in form} | {"do": "tags", "initial-tags": form["tags"].value()}
    actions.change_tags(actor=desk.by_agent, ticket=ticket, add=["theirs"])
    agent.post(page_of(ticket), mine | {"tags": "VIP, mine"})
    assert {tag.name for tag in ticket.tags.all()} == {"vip", "theirs", "mine"}


def test_each_kind_of_property_has_its_input_and_its_words(
    desk: Desk, agent: Client, send: Send, properties: None
) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket), {"do": "properties"}).context["opened"]
    inputs = {name: type(field.widget).__name__ for name, field in form.fields.items() if name.startswith("prop")}
    assert inputs["property_floor"] == "NumberWidget"
    values = {"floor": "2.50", "site": "Bern", "warranty": "false", "since": "2026-01-31", "remark": "a <b>"}
    send(ticket, "properties", **{f"property_{code}": value for code, value in values.items()})
    shown = dict(agent.get(page_of(ticket)).context["facts"].properties)
    assert shown["Warranty"] == "No"
    assert (shown["Floor"], shown["Since"]) == ("2.5", "31 Jan 2026")
    send(ticket, "properties", property_site="")
    assert "Site" not in dict(agent.get(page_of(ticket)).context["facts"].properties)
    history = agent.get(page_of(ticket), {"tab": "history"}).content.decode()
    assert "Warranty:" in history
    assert "property_warranty" not in history


def test_a_wrong_property_is_refused_at_its_field(desk: Desk, send: Send, properties: None) -> None:
    page = send(desk.ticket(), "properties", property_floor="upstairs").content.decode()
    assert "Give a number, for example 12 or 1.5." in page
    assert 'value="upstairs"' in page


def test_a_property_that_somebody_else_changed_meanwhile_is_not_overwritten(
    desk: Desk, agent: Client, properties: None
) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket), {"do": "properties"}).context["opened"]
    mine = {field.name: field.value() for field in form} | {"do": "properties", "property_floor": "3"}
    actions.set_properties(actor=desk.by_agent, ticket=ticket, values={"floor": 2, "site": "Basel"})
    answer = agent.post(page_of(ticket), mine)
    assert answer.status_code == 422
    assert "Somebody else changed this in the meantime: Floor." in answer.content.decode()
    held = {row.definition.code: row.value for row in ticket.property_values.select_related("definition")}
    assert held == {"floor": "2", "site": "Basel"}


def test_tickets_are_linked_as_what_they_are_to_each_other(desk: Desk, agent: Client, send: Send) -> None:
    ticket, part, whole = desk.ticket(), desk.ticket(title="Part"), desk.ticket(title="Whole")
    send(ticket, "link", kind="sub_case", other=part.pk)
    send(ticket, "link", kind="parent", other=whole.pk)
    rows = agent.get(page_of(ticket)).context["facts"].links
    assert [(str(row.words), row.what) for row in rows] == [("Sub-case", part), ("Parent", whole)]
    circle = send(ticket, "link", kind="sub_case", other=whole.pk)
    assert "cannot be its sub-case" in circle.content.decode()
    press(agent, ticket, rows[0].remove)
    assert [row.what for row in agent.get(page_of(ticket)).context["facts"].links] == [whole]


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
