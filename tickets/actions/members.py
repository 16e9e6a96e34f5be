"""Who takes part in a ticket. Ending one and starting the next keeps the history."""

from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions.record import lock_ticket, refuse_merged, write_history
from tickets.actors import Actor
from tickets.errors import InvalidInput
from tickets.events import Event, EventName, publish
from tickets.models import Contact, Member, MemberRole, Ticket

if TYPE_CHECKING:
    from django.contrib.auth.models import User


@transaction.atomic
def set_assigned_user(
    *, actor: Actor, ticket: Ticket, user: "User | None", expected_version: int | None = None
) -> Ticket:
    """Who looks after the ticket from now on; None: nobody. `InvalidInput` for who is no active agent."""
    if user is not None and not (user.is_active and user.is_staff):
        raise InvalidInput(_("%(person)s is not an active agent.") % {"person": user.get_username()})
    ticket = lock_ticket(ticket, expected_version=expected_version)
    refuse_merged(ticket)
    active = _active(ticket, MemberRole.ASSIGNED).select_related("user").first()
    before = active.user if active else None
    if before == user:
        return ticket
    if active is not None:
        _end(active)
    if user is not None:
        Member.objects.create(ticket=ticket, role=MemberRole.ASSIGNED, user=user)
    _told(actor, ticket, "assigned_user", _name(before), _name(user))
    return ticket


@transaction.atomic
def add_follower(
    *, actor: Actor, ticket: Ticket, user: "User | None" = None, contact: Contact | None = None
) -> Member:
    """Somebody follows the ticket: an agent or a contact. Who follows it already is left as it is."""
    if (user is None) == (contact is None):
        raise InvalidInput(_("A follower is either a user or a contact."))
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    known = _active(ticket, MemberRole.FOLLOWER).filter(user=user, contact=contact).first()
    if known is not None:
        return known
    member = Member.objects.create(ticket=ticket, role=MemberRole.FOLLOWER, user=user, contact=contact)
    _told(actor, ticket, "follower", "", member.person)
    return member


@transaction.atomic
def end_follower(*, actor: Actor, ticket: Ticket, member: Member) -> None:
    """Somebody no longer follows the ticket. `InvalidInput` for a member of another ticket or another role."""
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    active = _active(ticket, MemberRole.FOLLOWER).filter(pk=member.pk).first()
    if active is None:
        raise InvalidInput(_("This is no active follower of %(number)s.") % {"number": ticket.number})
    _end(active)
    _told(actor, ticket, "follower", active.person, "")


def replace_contact(ticket: Ticket, contact: Contact | None) -> None:
    """End the active contact and start this one, beside `Ticket.contact`; inside the transaction of an action."""
    active = _active(ticket, MemberRole.CONTACT).first()
    if active is not None and active.contact_id == (contact.pk if contact else None):
        return
    if active is not None:
        _end(active)
    if contact is not None:
        Member.objects.create(ticket=ticket, role=MemberRole.CONTACT, contact=contact)


def _active(ticket: Ticket, role: MemberRole) -> QuerySet[Member]:
    return Member.objects.filter(ticket=ticket, role=role, ended_at=None)


def _end(member: Member) -> None:
    # A clock that was set back must not let a member end before its start.
    member.ended_at = max(timezone.now(), member.started_at)
    member.save(update_fields=["ended_at"])


def _told(actor: Actor, ticket: Ticket, field: str, before: str, after: str) -> None:
    changes = {field: (before, after)}
    write_history(actor, EventName.MEMBERS_CHANGED, ticket=ticket, changes=changes)
    publish(Event(name=EventName.MEMBERS_CHANGED, actor=actor, ticket=ticket, changes=changes))


def _name(user: "User | None") -> str:
    return (user.get_full_name() or user.get_username()) if user else ""
