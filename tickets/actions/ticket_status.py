"""The ticket follows its tasks: closed with the last of them, open again with the first."""

from django.db import transaction
from django.utils import timezone

from tickets.actions.record import set_fields, write_history
from tickets.actors import Actor
from tickets.events import Event, EventName, publish
from tickets.lifecycle import TicketStatus
from tickets.models import Ticket


@transaction.atomic
def mark_closed(*, actor: Actor, ticket: Ticket) -> None:
    """Status Closed, for a ticket whose tasks are all closed; does nothing when it is closed already."""
    ticket.refresh_from_db(fields=["status", "version", "closed_at", "updated_at"])
    if ticket.is_closed:
        return
    changes = set_fields(ticket, {"status": TicketStatus.CLOSED, "closed_at": timezone.now()})
    write_history(actor, EventName.TICKET_CLOSED, ticket=ticket, changes={"status": changes["status"]})
    publish(Event(name=EventName.TICKET_CLOSED, actor=actor, ticket=ticket, changes=changes))


@transaction.atomic
def mark_open(*, actor: Actor, ticket: Ticket, reason: str = "") -> None:
    """Status Open, for a ticket of which a task was reopened; does nothing when it is open already."""
    ticket.refresh_from_db(fields=["status", "version", "closed_at", "updated_at"])
    if not ticket.is_closed:
        return
    changes = set_fields(ticket, {"status": TicketStatus.OPEN, "closed_at": None})
    write_history(actor, EventName.TICKET_REOPENED, ticket=ticket, text=reason, changes={"status": changes["status"]})
    publish(Event(name=EventName.TICKET_REOPENED, actor=actor, ticket=ticket, text=reason, changes=changes))
