"""Who looks after a ticket and follows it, and to which others it belongs."""

from collections.abc import Callable
from typing import Any

from django.test import Client

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import actions
from tickets.models import Link, Member, MemberRole, Ticket

Send = Callable[..., Any]


def press(agent: Client, ticket: Ticket, form: Any) -> Any:
    """A button of the page."""
    values = {field.name: field.value() for field in form} | {"do": form.name}
    return agent.post(page_of(ticket), values)


def test_somebody_looks_after_the_ticket_and_those_who_did_are_kept(desk: Desk, agent: Client, send: Send) -> None:
    ticket = desk.ticket()
    send(ticket, "assign_user", user=desk.agent.pk)
    send(ticket, "assign_user", user="")
    assert "not one of the available" in send(ticket, "assign_user", user=desk.end_user.pk).content.decode()
    member = Member.objects.get(ticket=ticket, role=MemberRole.ASSIGNED)
    assert (member.user, member.is_active) == (desk.agent, False)
    assert [m.pk for m in agent.get(page_of(ticket)).context["facts"].earlier] == [member.pk]


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
