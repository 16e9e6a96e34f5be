"""How tickets belong together, and two that become one."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import IntegrityError

from integrations.engine.references import store_reference
from integrations.inbound import operations
from tests.cast import Desk, Partner
from tickets import actions
from tickets.errors import Conflict, InvalidInput, TransitionRefused
from tickets.lifecycle import TicketStatus
from tickets.models import Link, LinkKind, Member, MemberRole, PropertyDefinition, Ticket


def link(desk: Desk, ticket: Ticket, other: Ticket, kind: str = LinkKind.SUB_CASE) -> Link:
    """As the agent does it."""
    return actions.link_tickets(actor=desk.by_agent, ticket=ticket, other=other, kind=kind)


def test_a_link_is_in_the_history_of_both_and_made_once(desk: Desk) -> None:
    parent, child = desk.ticket(), desk.ticket()
    assert link(desk, parent, child) == link(desk, parent, child)
    assert list(parent.history.filter(event="links_changed").values_list("field", "new")) == [("sub_case", "1002")]
    assert list(child.history.filter(event="links_changed").values_list("field", "new")) == [("parent", "1001")]


def test_related_is_the_same_from_both_sides(desk: Desk) -> None:
    one, two = desk.ticket(), desk.ticket()
    assert link(desk, one, two, LinkKind.RELATED) == link(desk, two, one, LinkKind.RELATED)


def test_families_have_one_parent_and_no_circle(desk: Desk) -> None:
    grandparent, parent, child = desk.ticket(), desk.ticket(), desk.ticket()
    link(desk, grandparent, parent)
    link(desk, parent, child)
    with pytest.raises(InvalidInput, match="a sub-case of 1002 already"):
        link(desk, grandparent, child)
    with pytest.raises(InvalidInput, match="stands above"):
        link(desk, child, grandparent)
    with pytest.raises(InvalidInput, match="itself"):
        link(desk, child, child)
    with pytest.raises(IntegrityError):
        Link.objects.create(ticket=grandparent, kind=LinkKind.SUB_CASE, other=child)


def test_nobody_links_a_merge_by_hand_or_undoes_one(desk: Desk) -> None:
    one, two = desk.ticket(), desk.ticket()
    with pytest.raises(InvalidInput, match="merging makes its own link"):
        link(desk, one, two, LinkKind.MERGED)
    actions.merge_tickets(actor=desk.by_agent, source=one, target=two)
    with pytest.raises(InvalidInput, match="cannot be undone"):
        actions.unlink_tickets(actor=desk.by_agent, link=Link.objects.get())


def test_merging_moves_what_there_is_and_the_other_desk_goes_on_in_the_target(desk: Desk, partner: Partner) -> None:
    PropertyDefinition.objects.create(code="floor", name="Floor", kind="number")
    source, target = desk.ticket(), desk.ticket()
    task = desk.task(partner.group, source)
    store_reference(task=task, system=partner.system, value="A-1")
    actions.add_note(actor=desk.by_agent, ticket=source, body="Smoke", files=[actions.FileContent("a.txt", b"1")])
    actions.set_tags(actor=desk.by_agent, ticket=source, names=["fire"])
    actions.set_properties(actor=desk.by_agent, ticket=source, values={"floor": 2})
    actions.set_assigned_user(actor=desk.by_agent, ticket=source, user=desk.agent)
    child = desk.ticket()
    link(desk, source, child)

    actions.merge_tickets(actor=desk.by_agent, source=source, target=target)

    source.refresh_from_db()
    assert source.status == TicketStatus.MERGED
    assert [t.number for t in target.tasks.all()] == ["1001-1"]
    assert [note.body for note in target.notes.all()] == ["Smoke"]
    assert target.attachments.count() == 1
    assert [tag.name for tag in target.tags.all()] == ["fire"]
    assert target.property_values.get().value == "2"
    assert Link.objects.get(kind=LinkKind.SUB_CASE).ticket == target
    followers = Member.objects.filter(ticket=target, role=MemberRole.FOLLOWER, ended_at=None)
    assert [member.person for member in followers] == ["Ada"]
    receipt = operations.update(system=partner.system, task=task, text="Still smoking")
    assert receipt.ticket == target.number


REFUSED: dict[str, Callable[[Desk, Ticket], Any]] = {
    "a note": lambda d, t: actions.add_note(actor=d.by_agent, ticket=t, body="x"),
    "a note of the contact": lambda d, t: actions.add_note(actor=d.by_end_user, ticket=t, body="x"),
    "a file": lambda d, t: actions.attach(actor=d.by_agent, ticket=t, content=actions.FileContent("a", b"")),
    "a task": lambda d, t: actions.create_task(actor=d.by_agent, ticket=t),
    "a title": lambda d, t: actions.change_ticket(actor=d.by_agent, ticket=t, title="x"),
    "a status": lambda d, t: actions.set_status(actor=d.by_agent, ticket=t, status=1),
    "tags": lambda d, t: actions.set_tags(actor=d.by_agent, ticket=t, names=["x"]),
    "properties": lambda d, t: actions.set_properties(actor=d.by_agent, ticket=t, values={}),
    "a follower": lambda d, t: actions.add_follower(actor=d.by_agent, ticket=t, user=d.agent),
    "a link": lambda d, t: link(d, t, d.ticket()),
    "another merge": lambda d, t: actions.merge_tickets(actor=d.by_agent, source=t, target=d.ticket()),
}


@pytest.mark.parametrize("what", REFUSED)
def test_a_merged_ticket_refuses_and_names_the_ticket_to_use(desk: Desk, what: str) -> None:
    source, target = desk.ticket(), desk.ticket()
    actions.merge_tickets(actor=desk.by_agent, source=source, target=target)
    with pytest.raises(TransitionRefused, match=f"merged into {target.number}: use that one"):
        REFUSED[what](desk, source)


def test_the_ticket_to_use_is_the_last_one_of_several_merges(desk: Desk) -> None:
    first, second, last = desk.ticket(), desk.ticket(), desk.ticket()
    actions.merge_tickets(actor=desk.by_agent, source=first, target=second)
    actions.merge_tickets(actor=desk.by_agent, source=second, target=last)
    with pytest.raises(TransitionRefused, match=f"merged into {last.number}"):
        actions.add_note(actor=desk.by_agent, ticket=first, body="x")


@pytest.mark.parametrize("status", [TicketStatus.CLOSED, TicketStatus.DELETED, TicketStatus.SPAM])
def test_only_open_tickets_are_merged(desk: Desk, status: int) -> None:
    one, two = desk.ticket(), desk.ticket()
    actions.set_status(actor=desk.by_agent, ticket=two, status=status)
    for source, target in ((one, two), (two, one)):
        with pytest.raises(TransitionRefused, match="only open tickets"):
            actions.merge_tickets(actor=desk.by_agent, source=source, target=target)
    with pytest.raises(InvalidInput, match="itself"):
        actions.merge_tickets(actor=desk.by_agent, source=one, target=one)


def test_who_read_an_older_version_does_not_merge(desk: Desk) -> None:
    source, target = desk.ticket(), desk.ticket()
    actions.change_ticket(actor=desk.by_agent, ticket=source, title="Other")
    with pytest.raises(Conflict):
        actions.merge_tickets(actor=desk.by_agent, source=source, target=target, expected_version=1)
