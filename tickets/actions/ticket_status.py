"""A ticket's status where nobody sets it: following the tasks, woken by what comes in, at the end of a hold."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions.record import lock_ticket, set_fields, write_history
from tickets.actors import Actor
from tickets.events import Event, EventName, publish
from tickets.lifecycle import (
    OPEN_STATUSES,
    TICKET_FOLLOWS,
    WOKEN_BY_UPDATES,
    Phase,
    TicketStatus,
    TicketThen,
    tasks_are,
)
from tickets.models import OwnStatus, Task, Ticket


@transaction.atomic
def wake_ticket(*, actor: Actor, ticket: Ticket) -> None:
    """Something came in from outside: a closed or awaiting ticket returns to its last open status; its tasks stay.

    Only for an update, a reopening, a message of the contact.
    """
    ticket = lock_ticket(ticket)
    if ticket.status in WOKEN_BY_UPDATES:
        return_to_last_open(actor=actor, ticket=ticket)


@transaction.atomic
def release_hold(*, ticket: Ticket) -> None:
    """The hold is over: the ticket returns to its last open status. Does nothing where it is not over yet."""
    ticket = lock_ticket(ticket)
    over = ticket.on_hold_until is not None and ticket.on_hold_until <= timezone.now()
    if ticket.status == TicketStatus.ON_HOLD and over:
        return_to_last_open(actor=Actor.system(), ticket=ticket, reason=_("The hold is over."))


@transaction.atomic
def follow_tasks(*, actor: Actor, ticket: Ticket, left: str = "", reason: str = "") -> None:
    """A task entered review or Closed, or left one of them (`left` is the phase it left): the ticket follows."""
    refresh(ticket)
    phases = list(Task.objects.filter(ticket=ticket).values_list("phase", flat=True))
    are = tasks_are(phases)
    then = TICKET_FOLLOWS.get((ticket.status, are)) if are else None
    match then:
        case TicketThen.CLOSED:
            _enter_default(actor, ticket, TicketStatus.CLOSED, reason)
        case TicketThen.AWAITING_EXTERNAL:
            _enter_default(actor, ticket, TicketStatus.AWAITING_EXTERNAL, reason)
        case TicketThen.LAST_OPEN if left in (Phase.REVIEW, Phase.CLOSE):
            return_to_last_open(actor=actor, ticket=ticket, reason=reason)


def return_to_last_open(*, actor: Actor, ticket: Ticket, reason: str = "") -> None:
    """Back to the own status that it had when it was open last; inside the transaction of an action."""
    own = ticket.last_open_status
    enter_status(actor=actor, ticket=ticket, status=TicketStatus(own.status), own_status=own, reason=reason)


def enter_status(
    *,
    actor: Actor,
    ticket: Ticket,
    status: TicketStatus,
    own_status: OwnStatus,
    on_hold_until: datetime | None = None,
    on_hold_comment: str = "",
    reason: str = "",
) -> None:
    """The one place where a ticket's status changes. Row, history, event; nothing, where nothing differs."""
    now, before = timezone.now(), ticket.status
    values: dict[str, Any] = {
        "status": status,
        "own_status": own_status,
        "on_hold_until": on_hold_until,
        "on_hold_comment": on_hold_comment,
    }
    if (before, ticket.own_status_id) != (status, own_status.pk):
        values["status_changed_at"] = now
    if status == TicketStatus.OPEN:
        values["last_open_status"] = own_status
    if (status == TicketStatus.CLOSED) != (before == TicketStatus.CLOSED):
        values["closed_at"] = now if status == TicketStatus.CLOSED else None
    changes = set_fields(ticket, values)
    if not changes:
        return
    event = EventName.STATUS_CHANGED
    if "status" in changes and status == TicketStatus.CLOSED:
        event = EventName.TICKET_CLOSED
    elif before == TicketStatus.CLOSED and status in OPEN_STATUSES:
        event = EventName.TICKET_REOPENED
    told = {name: values for name, values in changes.items() if name not in ("status_changed_at", "closed_at")}
    write_history(actor, event, ticket=ticket, text=reason, changes=told)
    publish(Event(name=event, actor=actor, ticket=ticket, text=reason, changes=told))


def _enter_default(actor: Actor, ticket: Ticket, status: TicketStatus, reason: str) -> None:
    enter_status(actor=actor, ticket=ticket, status=status, own_status=OwnStatus.default_of(status), reason=reason)


def refresh(ticket: Ticket) -> None:
    """Load again what an action on a task of this ticket may have changed meanwhile, in this very transaction."""
    fields = ["status", "own_status", "last_open_status", "status_changed_at", "on_hold_until", "on_hold_comment"]
    ticket.refresh_from_db(fields=[*fields, "version", "closed_at", "updated_at"])
