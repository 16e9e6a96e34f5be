"""What the preview says moves is what the merge moves."""

from tests.cast import Desk
from tickets import actions
from tickets.lifecycle import TicketStatus
from tickets.merging import merge_plan
from tickets.models import Contact, Link, LinkKind, Member, MemberRole, PropertyDefinition, Ticket


def full(desk: Desk, title: str, *, floor: int, tags: list[str]) -> Ticket:
    """A ticket with something of everything."""
    ticket = desk.ticket(title=title)
    desk.task(desk.service_desk, ticket)
    actions.set_tags(actor=desk.by_agent, ticket=ticket, names=tags)
    actions.set_properties(actor=desk.by_agent, ticket=ticket, values={"floor": floor})
    actions.add_note(actor=desk.by_agent, ticket=ticket, body="Hello", files=[actions.FileContent("a.txt", b"1")])
    return ticket


def linked(ticket: Ticket) -> set[tuple[str, str, str]]:
    """Every link of the ticket, with its direction."""
    links = Link.objects.exclude(kind=LinkKind.MERGED).select_related("ticket", "other")
    return {
        (link.ticket.number, link.kind, link.other.number) for link in links if ticket in (link.ticket, link.other)
    }


def followers(ticket: Ticket) -> set[str]:
    return {member.person for member in ticket.members.filter(role=MemberRole.FOLLOWER, ended_at=None)}


def test_everything_that_is_counted_moves_and_nothing_else(desk: Desk) -> None:
    for code in ("floor", "remark"):
        PropertyDefinition.objects.create(code=code, name=code.title())
    source = full(desk, "Source", floor="3", tags=["printer", "smell"])
    target = full(desk, "Target", floor="2", tags=["Printer"])
    actions.set_properties(actor=desk.by_agent, ticket=source, values={"remark": "By the window"})
    actions.change_ticket(actor=desk.by_agent, ticket=Ticket.objects.get(pk=source.pk), contact=desk.outsider.contact)
    friend = Contact.objects.create(name="Frieda", email="frieda@x.test")
    actions.add_follower(actor=desk.by_agent, ticket=source, contact=friend)
    actions.add_follower(actor=desk.by_agent, ticket=target, contact=friend)
    actions.set_assigned_user(actor=desk.by_agent, ticket=source, user=desk.agent)
    both, own, parent, other_parent = (desk.ticket(title=name) for name in ("both", "own", "parent", "other parent"))
    for ticket in (source, target):
        actions.link_tickets(actor=desk.by_agent, ticket=ticket, other=both, kind="related")
    actions.link_tickets(actor=desk.by_agent, ticket=source, other=own, kind="sub_case")
    actions.link_tickets(actor=desk.by_agent, ticket=parent, other=source, kind="sub_case")
    actions.link_tickets(actor=desk.by_agent, ticket=other_parent, other=target, kind="sub_case")
    actions.link_tickets(actor=desk.by_agent, ticket=target, other=source, kind="related")

    plan = merge_plan(Ticket.objects.get(pk=source.pk), Ticket.objects.get(pk=target.pk))
    before = {"links": linked(target), "followers": followers(target), "tags": {"printer"}}
    actions.merge_tickets(actor=desk.by_agent, source=source, target=target)

    assert plan.refusal == ""
    assert [task.ticket_id for task in target.tasks.filter(pk__in=[task.pk for task in plan.tasks])] == [target.pk]
    assert (plan.notes, plan.files) == (target.notes.count() - 1, target.attachments.count() - 1)
    assert (plan.tags, plan.tags_there) == (["smell"], ["printer"])
    assert {tag.name for tag in target.tags.all()} == before["tags"] | set(plan.tags)
    held = {row.definition.code: row.value for row in target.property_values.select_related("definition")}
    assert held == {"floor": "2", "remark": "By the window"}
    assert plan.properties == [("Remark", "By the window")]
    assert plan.properties_kept == [("Floor", "3", "2")]
    assert {ticket.title for ticket in plan.links} == {"own"}
    assert {ticket.title for ticket in plan.links_dropped} == {"both", "parent", "Target"}
    moved = {(target.number, "sub_case", own.number)}
    fell = {(target.number, "related", source.number)}
    assert linked(target) == (before["links"] - fell) | moved
    assert followers(target) - before["followers"] == set(plan.followers) == {"Ada", "Otto Other"}


def test_a_refusal_is_foreseen(desk: Desk) -> None:
    source, target = desk.ticket(), desk.ticket()
    assert "into itself" in merge_plan(source, source).refusal
    closed = actions.close_ticket(actor=desk.by_agent, ticket=target)
    assert "only open tickets are merged" in merge_plan(source, closed).refusal


def test_who_is_the_targets_contact_does_not_become_its_follower(desk: Desk) -> None:
    source, target = desk.ticket(), desk.ticket()
    assert merge_plan(source, target).followers == []
    actions.merge_tickets(actor=desk.by_agent, source=source, target=target)
    assert not Member.objects.filter(ticket=target, role=MemberRole.FOLLOWER).exists()
    assert Ticket.objects.get(pk=source.pk).status == TicketStatus.MERGED
