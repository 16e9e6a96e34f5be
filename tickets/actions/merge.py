"""Make one ticket of two."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions.links import family_above
from tickets.actions.members import add_follower
from tickets.actions.record import lock_tickets, refuse_merged, set_fields, write_history
from tickets.actions.ticket_status import enter_status
from tickets.actors import Actor
from tickets.errors import InvalidInput, TransitionRefused
from tickets.events import Event, EventName, publish
from tickets.lifecycle import OPEN_STATUSES, TicketStatus
from tickets.models import (
    Attachment,
    History,
    Link,
    LinkKind,
    Member,
    Note,
    OwnStatus,
    PropertyValue,
    Task,
    Ticket,
)


@transaction.atomic
def merge_tickets(*, actor: Actor, source: Ticket, target: Ticket, expected_version: int | None = None) -> Ticket:
    """What there is on `source` moves to `target`: tasks with what other desks know of them, conversation, files,
    tags, links, properties that the target lacks; its contact and its followers follow the target.

    The source stays, with its history, as Merged; it refuses updates and names the target. There is no way back.
    `TransitionRefused` unless both are open. Returns the target.
    """
    if source.pk == target.pk:
        raise InvalidInput(_("A ticket cannot be merged into itself."))
    source, target = lock_tickets(source, target, expected_version=expected_version)
    for ticket in (source, target):
        refuse_merged(ticket)
        if ticket.status not in OPEN_STATUSES:
            raise TransitionRefused(
                _('%(number)s has the status "%(status)s": only open tickets are merged.')
                % {"number": ticket.number, "status": ticket.get_status_display()}
            )
    tasks = list(Task.objects.filter(ticket=source).values_list("pk", flat=True))
    Note.objects.filter(ticket=source).update(ticket=target)
    Attachment.objects.filter(ticket=source).update(ticket=target)
    History.objects.filter(ticket=source, task__in=tasks).update(ticket=target)
    Task.objects.filter(ticket=source).update(ticket=target)
    target.tags.add(*source.tags.all())
    held = PropertyValue.objects.filter(ticket=target).values("definition")
    PropertyValue.objects.filter(ticket=source).exclude(definition__in=held).update(ticket=target)
    _move_links(source, target)
    _move_members(actor, source, target)
    Link.objects.create(ticket=source, kind=LinkKind.MERGED, other=target)
    enter_status(
        actor=actor,
        ticket=source,
        status=TicketStatus.MERGED,
        own_status=OwnStatus.default_of(TicketStatus.MERGED),
        reason=_("Merged into %(target)s.") % {"target": target.number},
    )
    # Moved rows count as a change of the target, so that two people who merge at once do not overwrite each other.
    set_fields(target, {"updated_at": timezone.now()})
    for ticket, change in ((source, ("", target.number)), (target, (source.number, ""))):
        changes = {"merged": change}
        write_history(actor, EventName.TICKET_MERGED, ticket=ticket, changes=changes)
        publish(Event(name=EventName.TICKET_MERGED, actor=actor, ticket=ticket, changes=changes))
    return target


def _move_links(source: Ticket, target: Ticket) -> None:
    """Those that would stand twice, at the target itself or in a circle fall away; so does a second parent."""
    for link in Link.objects.filter(ticket=source).exclude(kind=LinkKind.MERGED):
        twice = Link.objects.filter(ticket=target, kind=link.kind, other=link.other_id).exists()
        circle = link.kind == LinkKind.SUB_CASE and link.other_id in family_above(target)
        if twice or circle or link.other_id == target.pk:
            link.delete()
        else:
            Link.objects.filter(pk=link.pk).update(ticket=target)
    has_parent = Link.objects.filter(other=target, kind=LinkKind.SUB_CASE).exists()
    for link in Link.objects.filter(other=source).exclude(kind=LinkKind.MERGED).select_related("ticket"):
        twice = Link.objects.filter(ticket=link.ticket_id, kind=link.kind, other=target).exists()
        circle = link.kind == LinkKind.SUB_CASE and target.pk in family_above(link.ticket)
        if twice or circle or link.ticket_id == target.pk or (link.kind == LinkKind.SUB_CASE and has_parent):
            link.delete()
        else:
            Link.objects.filter(pk=link.pk).update(other=target)


def _move_members(actor: Actor, source: Ticket, target: Ticket) -> None:
    if source.contact is not None and source.contact != target.contact:
        add_follower(actor=actor, ticket=target, contact=source.contact)
    for member in Member.objects.filter(ticket=source, ended_at=None).select_related("user", "contact"):
        if member.user is not None:
            add_follower(actor=actor, ticket=target, user=member.user)
        elif member.contact is not None and member.contact != target.contact:
            add_follower(actor=actor, ticket=target, contact=member.contact)
