"""How tickets belong together."""

from django.db import transaction
from django.utils.translation import gettext as _

from tickets.actions.record import lock_tickets, refuse_merged, write_history
from tickets.actors import Actor
from tickets.errors import InvalidInput
from tickets.events import Event, EventName, publish
from tickets.models import Link, LinkKind, Ticket


@transaction.atomic
def link_tickets(*, actor: Actor, ticket: Ticket, other: Ticket, kind: str) -> Link:
    """`other` becomes a sub-case of `ticket`, or the two are related. What is linked so already is left as it is.

    `InvalidInput` for a ticket and itself, a second parent, a circle, and Merged, which only merging makes.
    """
    if kind not in (LinkKind.SUB_CASE, LinkKind.RELATED):
        raise InvalidInput(_("Tickets are linked as sub_case or related; merging makes its own link."))
    if ticket.pk == other.pk:
        raise InvalidInput(_("A ticket cannot be linked to itself."))
    ticket, other = lock_tickets(ticket, other)
    refuse_merged(ticket)
    refuse_merged(other)
    pairs = [(ticket, other)] if kind == LinkKind.SUB_CASE else [(ticket, other), (other, ticket)]
    for one, two in pairs:
        known = Link.objects.filter(ticket=one, kind=kind, other=two).first()
        if known is not None:
            return known
    if kind == LinkKind.SUB_CASE:
        _check_family(ticket, other)
    link = Link.objects.create(ticket=ticket, kind=kind, other=other)
    _told(actor, ticket, kind, "", other.number)
    _told(actor, other, "parent" if kind == LinkKind.SUB_CASE else kind, "", ticket.number)
    return link


@transaction.atomic
def unlink_tickets(*, actor: Actor, link: Link) -> None:
    """The two no longer belong together. `InvalidInput` for a merge, which stays.

    A link that a merge has moved meanwhile is another one: nothing happens to it.
    """
    if link.kind == LinkKind.MERGED:
        raise InvalidInput(_("A merge cannot be undone."))
    ticket, other = lock_tickets(link.ticket, link.other)
    removed, _rows = Link.objects.filter(pk=link.pk, ticket=ticket, other=other).delete()
    if removed:
        _told(actor, ticket, link.kind, other.number, "")
        _told(actor, other, "parent" if link.kind == LinkKind.SUB_CASE else link.kind, ticket.number, "")


def family_above(ticket: Ticket) -> list[int]:
    """The primary keys of the parent, its parent and so on; each once, so that a circle is no endless way."""
    found: list[int] = []
    above: int | None = ticket.pk
    while True:
        links = Link.objects.filter(other_id=above, kind=LinkKind.SUB_CASE)
        above = links.values_list("ticket_id", flat=True).first()
        if above is None or above in found:
            return found
        found.append(above)


def _check_family(parent: Ticket, child: Ticket) -> None:
    known = Link.objects.filter(other=child, kind=LinkKind.SUB_CASE).select_related("ticket").first()
    if known is not None:
        raise InvalidInput(
            _("%(child)s is a sub-case of %(parent)s already.")
            % {"child": child.number, "parent": known.ticket.number}
        )
    if child.pk in family_above(parent):
        raise InvalidInput(
            _("%(child)s stands above %(parent)s: it cannot be its sub-case.")
            % {"child": child.number, "parent": parent.number}
        )


def _told(actor: Actor, ticket: Ticket, field: str, before: str, after: str) -> None:
    changes = {str(field): (before, after)}
    write_history(actor, EventName.LINKS_CHANGED, ticket=ticket, changes=changes)
    publish(Event(name=EventName.LINKS_CHANGED, actor=actor, ticket=ticket, changes=changes))
