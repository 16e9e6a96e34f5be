"""Create, change, close and reopen a ticket."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from tickets.actions.record import checked_title, lock_ticket, set_fields, write_history
from tickets.actions.task import close_task, reopen_task
from tickets.actions.ticket_status import mark_closed, mark_open
from tickets.actors import Actor
from tickets.errors import InvalidInput, TransitionRefused
from tickets.events import Event, EventName, publish
from tickets.lifecycle import CompletionCode, Phase
from tickets.models import Category, Contact, Priority, Queue, Task, Ticket, TicketCounter

EDITABLE = ("title", "description", "contact", "queue", "category", "priority")


def next_ticket_number() -> str:
    """The next number. Locks the counter until the transaction ends, so that there is no gap."""
    counter, _created = TicketCounter.objects.select_for_update().get_or_create(pk=1)
    counter.last += 1
    counter.save(update_fields=["last"])
    return str(counter.last)


def default_priority() -> Priority:
    """What applies when a ticket is raised without a priority: the marked one, else the least urgent."""
    priority = Priority.objects.filter(is_default=True).first() or Priority.objects.order_by("-rank").first()
    if priority is None:
        raise InvalidInput(_("There are no priorities yet: an administrator has to add one first."))
    return priority


@transaction.atomic
def create_ticket(
    *,
    actor: Actor,
    title: str,
    contact: Contact,
    description: str = "",
    queue: Queue | None = None,
    category: Category | None = None,
    priority: Priority | None = None,
) -> Ticket:
    """A new open ticket with the next number and no tasks yet."""
    ticket = Ticket.objects.create(
        title=checked_title(title),
        number=next_ticket_number(),
        description=description,
        contact=contact,
        queue=queue,
        category=category,
        priority=priority or default_priority(),
    )
    write_history(actor, EventName.TICKET_CREATED, ticket=ticket)
    publish(Event(name=EventName.TICKET_CREATED, actor=actor, ticket=ticket))
    return ticket


@transaction.atomic
def change_ticket(*, actor: Actor, ticket: Ticket, expected_version: int | None = None, **values: Any) -> Ticket:
    """Change any of the fields named in `EDITABLE`; what does not differ is no change and no event."""
    unknown = set(values) - set(EDITABLE)
    if unknown:
        raise TypeError(f"not editable: {sorted(unknown)}")
    if "title" in values:
        values["title"] = checked_title(values["title"])
    ticket = lock_ticket(ticket, expected_version=expected_version)
    changes = set_fields(ticket, values)
    if changes:
        write_history(actor, EventName.TICKET_CHANGED, ticket=ticket, changes=changes)
        publish(Event(name=EventName.TICKET_CHANGED, actor=actor, ticket=ticket, changes=changes))
    return ticket


@transaction.atomic
def close_ticket(
    *,
    actor: Actor,
    ticket: Ticket,
    solution: str = "",
    completion_code: str = CompletionCode.FULFILLED,
    expected_version: int | None = None,
) -> Ticket:
    """Close the ticket and, first, each of its tasks that is not closed yet, by hand."""
    ticket = lock_ticket(ticket, expected_version=expected_version)
    if ticket.is_closed:
        raise TransitionRefused(_("The ticket is closed already."))
    for task in Task.objects.filter(ticket=ticket).exclude(phase=Phase.CLOSE):
        close_task(actor=actor, task=task, solution=solution, completion_code=completion_code)
    mark_closed(actor=actor, ticket=ticket)
    return ticket


@transaction.atomic
def reopen_ticket(*, actor: Actor, ticket: Ticket, reason: str = "", expected_version: int | None = None) -> Ticket:
    """Open a closed ticket again, and with it the task that was closed last, so that somebody works on it."""
    ticket = lock_ticket(ticket, expected_version=expected_version)
    if not ticket.is_closed:
        raise TransitionRefused(_("Only a closed ticket can be reopened."))
    mark_open(actor=actor, ticket=ticket, reason=reason)
    last = Task.objects.filter(ticket=ticket, phase=Phase.CLOSE).order_by("-closed_at", "-id").first()
    if last is not None:
        reopen_task(actor=actor, task=last, reason=reason)
    return ticket
