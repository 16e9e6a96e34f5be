"""What merging one ticket into another would do, counted before it is done. Done by `actions.merge_tickets`."""

from dataclasses import dataclass

from django.db.models import Q
from django.utils.translation import gettext as _

from tickets.lifecycle import OPEN_STATUSES
from tickets.models import Attachment, Link, LinkKind, Member, MemberRole, Note, Task, Ticket
from tickets.property_fields import in_words


@dataclass(frozen=True)
class MergePlan:
    """What moves to the target, what the target has already, and who follows it from then on."""

    source: Ticket
    target: Ticket
    tasks: list[Task]
    notes: int
    files: int
    tags: list[str]
    tags_there: list[str]
    properties: list[tuple[str, str]]
    properties_kept: list[tuple[str, str, str]]
    links: list[Ticket]
    links_dropped: list[Ticket]
    followers: list[str]
    refusal: str


def merge_plan(source: Ticket, target: Ticket) -> MergePlan:
    """In a constant number of queries. `refusal` is what the action will say; empty where it will do it."""
    tags, there = ({tag.name for tag in ticket.tags.all()} for ticket in (source, target))
    held = {value.definition_id: value for value in target.property_values.select_related("definition")}
    moving, kept = [], []
    for value in source.property_values.select_related("definition"):
        other = held.get(value.definition_id)
        if other is None:
            moving.append((value.definition.name, in_words(value)))
        else:
            kept.append((value.definition.name, in_words(value), in_words(other)))
    links, dropped = _links(source, target)
    return MergePlan(
        source=source,
        target=target,
        tasks=list(Task.objects.filter(ticket=source).select_related("group").order_by("pk")),
        notes=Note.objects.filter(ticket=source).count(),
        files=Attachment.objects.filter(ticket=source).count(),
        tags=sorted(tags - there),
        tags_there=sorted(tags & there),
        properties=moving,
        properties_kept=kept,
        links=links,
        links_dropped=dropped,
        followers=_followers(source, target),
        refusal=_refusal(source, target),
    )


def _refusal(source: Ticket, target: Ticket) -> str:
    if source.pk == target.pk:
        return _("A ticket cannot be merged into itself.")
    for ticket in (source, target):
        if ticket.status not in OPEN_STATUSES:
            return _('%(number)s has the status "%(status)s": only open tickets are merged.') % {
                "number": ticket.number,
                "status": ticket.get_status_display(),
            }
    return ""


def _links(source: Ticket, target: Ticket) -> tuple[list[Ticket], list[Ticket]]:
    """Those that move, and those that fall away: to the target itself, such as it has already, a second parent."""
    either = Q(ticket__in=(source, target)) | Q(other__in=(source, target))
    links = list(Link.objects.filter(either).exclude(kind=LinkKind.MERGED).select_related("ticket", "other"))
    out = {(link.kind, link.other_id) for link in links if link.ticket_id == target.pk}
    into = {(link.kind, link.ticket_id) for link in links if link.other_id == target.pk}
    has_parent = any(kind == LinkKind.SUB_CASE for kind, _parent in into)
    moved: list[Ticket] = []
    dropped: list[Ticket] = []
    for link in links:
        if link.ticket_id == source.pk:
            falls = link.other_id == target.pk or (link.kind, link.other_id) in out
            (dropped if falls else moved).append(link.other)
        elif link.other_id == source.pk:
            second = link.kind == LinkKind.SUB_CASE and has_parent
            falls = link.ticket_id == target.pk or (link.kind, link.ticket_id) in into or second
            (dropped if falls else moved).append(link.ticket)
    return moved, dropped


def _followers(source: Ticket, target: Ticket) -> list[str]:
    """Everybody who takes part in the source and neither follows the target nor is its contact: each once."""
    members = Member.objects.filter(ticket__in=(source, target), ended_at=None).select_related("user", "contact")
    there = {
        (member.user_id, member.contact_id)
        for member in members
        if member.ticket_id == target.pk and member.role == MemberRole.FOLLOWER
    }
    there.add((None, target.contact_id))
    new: dict[tuple[int | None, int | None], str] = {}
    for member in members:
        key = (member.user_id, member.contact_id)
        if member.ticket_id == source.pk and key not in there:
            new[key] = member.person
    return list(new.values())
