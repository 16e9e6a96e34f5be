"""Create and change a ticket, set its status, close and reopen it."""

from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions.members import replace_contact
from tickets.actions.record import (
    check_moment,
    checked_title,
    lock_ticket,
    refuse_end_user,
    refuse_merged,
    set_fields,
    write_history,
)
from tickets.actions.task import close_task, reopen_task
from tickets.actions.ticket_status import enter_status, refresh
from tickets.actors import Actor, ActorKind
from tickets.errors import InvalidInput, TransitionRefused
from tickets.events import Event, EventName, publish
from tickets.lifecycle import TASKS_FOLLOW, CompletionCode, Phase, TasksThen, TicketStatus, check_status
from tickets.models import Category, Contact, OwnStatus, Priority, Queue, Task, Ticket, TicketCounter

EDITABLE = ("title", "description", "contact", "queue", "category", "priority", "deadline_at")
MAX_HOLD_COMMENT = 500


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
    contact: Contact | None = None,
    description: str = "",
    queue: Queue | None = None,
    category: Category | None = None,
    priority: Priority | None = None,
) -> Ticket:
    """A new open ticket with the next number and no tasks yet."""
    own_status = OwnStatus.default_of(TicketStatus.OPEN)
    ticket = Ticket.objects.create(
        title=checked_title(title),
        number=next_ticket_number(),
        description=description,
        contact=contact,
        queue=queue,
        category=category,
        priority=priority or default_priority(),
        own_status=own_status,
        last_open_status=own_status,
        external_update_at=timezone.now() if actor.kind in (ActorKind.END_USER, ActorKind.EXTERNAL) else None,
    )
    replace_contact(ticket, contact)
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
    deadline = values.get("deadline_at")
    if deadline is not None:
        check_moment(deadline, _("The deadline needs a time zone."))
    ticket = lock_ticket(ticket, expected_version=expected_version)
    refuse_merged(ticket)
    changes = set_fields(ticket, values)
    if "contact" in changes:
        replace_contact(ticket, ticket.contact)
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
    return set_status(
        actor=actor,
        ticket=ticket,
        status=TicketStatus.CLOSED,
        solution=solution,
        completion_code=completion_code,
    )


@transaction.atomic
def reopen_ticket(*, actor: Actor, ticket: Ticket, reason: str = "", expected_version: int | None = None) -> Ticket:
    """Open a closed ticket again, and with it the task that was closed last, so that somebody works on it."""
    ticket = lock_ticket(ticket, expected_version=expected_version)
    if not ticket.is_closed:
        raise TransitionRefused(_("Only a closed ticket can be reopened."))
    return set_status(actor=actor, ticket=ticket, own_status=ticket.last_open_status, reason=reason)


@transaction.atomic
def set_status(
    *,
    actor: Actor,
    ticket: Ticket,
    status: int | None = None,
    own_status: OwnStatus | None = None,
    on_hold_until: datetime | None = None,
    on_hold_comment: str = "",
    solution: str = "",
    completion_code: str = CompletionCode.FULFILLED,
    reason: str = "",
    expected_version: int | None = None,
) -> Ticket:
    """Set the status by hand: the fixed one, an own one, or both; the tasks follow (`TASKS_FOLLOW`).

    Where the two disagree, the fixed status wins and the own status becomes its default (the ITX document's rule).
    `solution` and `completion_code` are for tasks that close with the ticket, `reason` for one that is reopened.
    """
    if status is None and own_status is None:
        raise InvalidInput(_("Choose a status."))
    if status is None and own_status is not None:
        status = own_status.status
    if status not in TicketStatus.values:
        raise InvalidInput(_('"%(value)s" is not a status.') % {"value": status})
    fixed = TicketStatus(status)
    if own_status is not None and own_status.status != fixed:
        own_status = OwnStatus.default_of(fixed)
    ticket = lock_ticket(ticket, expected_version=expected_version)
    refuse_merged(ticket)
    check_status(ticket.status, fixed)
    if fixed == TicketStatus.CLOSED:
        refuse_end_user(actor, ticket, closing=True)
    hold = _hold(fixed, on_hold_until, on_hold_comment)
    follow = TASKS_FOLLOW.get((ticket.status, fixed))
    match follow:
        case TasksThen.CLOSED:
            _close_tasks(actor, ticket, solution, completion_code)
        case TasksThen.LAST_REOPENED:
            _reopen_last_task(actor, ticket, reason)
    refresh(ticket)
    if own_status is None:
        own_status = ticket.own_status if ticket.status == fixed else OwnStatus.default_of(fixed)
    enter_status(actor=actor, ticket=ticket, status=fixed, own_status=own_status, reason=reason, **hold)
    if follow == TasksThen.WITHDRAWN:
        # Afterwards: a ticket that is deleted was not closed before, as one follows whose last task closes.
        _close_tasks(actor, ticket, solution, CompletionCode.WITHDRAWN)
    return ticket


def _close_tasks(actor: Actor, ticket: Ticket, solution: str, completion_code: str) -> None:
    for task in Task.objects.filter(ticket=ticket).exclude(phase=Phase.CLOSE).order_by("pk"):
        close_task(actor=actor, task=task, solution=solution, completion_code=completion_code)


def _reopen_last_task(actor: Actor, ticket: Ticket, reason: str) -> None:
    last = Task.objects.filter(ticket=ticket, phase=Phase.CLOSE).order_by("-closed_at", "-id").first()
    if last is not None:
        reopen_task(actor=actor, task=last, reason=reason)


def _hold(status: TicketStatus, until: datetime | None, comment: str) -> dict[str, Any]:
    if status != TicketStatus.ON_HOLD:
        if until is not None or comment.strip():
            raise InvalidInput(_("Only a ticket on hold has a time and a comment for it."))
        return {}
    if until is not None:
        check_moment(until, _("The end of the hold needs a time zone."))
        if until <= timezone.now():
            raise InvalidInput(_("The end of the hold is over already: choose a later one."))
    if len(comment) > MAX_HOLD_COMMENT:
        raise InvalidInput(_("The comment is longer than %(limit)d characters.") % {"limit": MAX_HOLD_COMMENT})
    return {"on_hold_until": until, "on_hold_comment": comment.strip()}
