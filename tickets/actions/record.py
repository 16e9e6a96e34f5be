"""What every action does: lock first, write the history beside the change, then publish."""

from datetime import datetime
from typing import Any, Final

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actors import Actor, ActorKind
from tickets.errors import Conflict, InvalidInput, TransitionRefused
from tickets.events import EventName
from tickets.lifecycle import SHELVED, TicketStatus
from tickets.models import History, Link, LinkKind, Task, Ticket
from tickets.panels import contact_limits

MAX_TITLE_CHARACTERS = 250
FIRST_YEAR: Final = 1900
LAST_YEAR: Final = 2999


def lock_ticket(ticket: Ticket, *, expected_version: int | None = None) -> Ticket:
    """The ticket, fresh and locked until the transaction ends. Every action locks it first: one order, no deadlock.

    `no_key`: rows that merely point at the ticket (an exchange, a history row) can be written meanwhile.
    """
    # Without joins: PostgreSQL, having waited for a row, drops it if what it was joined with is another row by now.
    locked = Ticket.objects.select_for_update(no_key=True).get(pk=ticket.pk)
    refuse_stale(locked, expected_version)
    return locked


def lock_tickets(one: Ticket, two: Ticket, *, expected_version: int | None = None) -> tuple[Ticket, Ticket]:
    """Two tickets, locked in one order whichever is named first, so that two who do it at once do not wait for each
    other for ever. `expected_version` is that of the first."""
    locked = {ticket.pk: lock_ticket(ticket) for ticket in sorted((one, two), key=lambda ticket: ticket.pk)}
    refuse_stale(locked[one.pk], expected_version)
    return locked[one.pk], locked[two.pk]


def lock_task(task: Task, *, expected_version: int | None = None) -> Task:
    """The task, fresh, with its ticket locked.

    Who waits for the lock while tickets are merged may find the task in another ticket. Then the first lock is given
    back before the next is taken: two at once are only ever taken in one order (`lock_tickets`).
    """
    while True:
        before = transaction.savepoint()
        ticket = lock_ticket(task.ticket)
        locked = Task.objects.select_related("group", "owning_group", "solved_by_group").get(pk=task.pk)
        if locked.ticket_id == ticket.pk:
            transaction.savepoint_commit(before)
            break
        transaction.savepoint_rollback(before)
        task = locked
    locked.ticket = ticket
    refuse_stale(locked, expected_version)
    return locked


def refuse_end_user(actor: Actor, ticket: Ticket, *, closing: bool = False) -> None:
    """Whoever works on the ticket may take nothing from its contact meanwhile, or not have it closed by them."""
    if actor.kind != ActorKind.END_USER:
        return
    limits = contact_limits(ticket)
    if said := limits.close if closing else limits.write:
        raise TransitionRefused(said)


def refuse_merged(ticket: Ticket) -> None:
    """`TransitionRefused` for a merged ticket names the one to use."""
    if ticket.status == TicketStatus.MERGED:
        raise TransitionRefused(
            _("%(number)s was merged into %(target)s: use that one.")
            % {"number": ticket.number, "target": merged_into(ticket).number}
        )


def merged_into(ticket: Ticket) -> Ticket:
    """The ticket at the end of however many merges; itself where there was none."""
    link = Link.objects.filter(ticket=ticket, kind=LinkKind.MERGED).select_related("other").first()
    return merged_into(link.other) if link is not None else ticket


def refuse_shelved(ticket: Ticket) -> None:
    """`TransitionRefused` for a ticket that is deleted or spam: nobody works on it."""
    if ticket.status in SHELVED:
        raise TransitionRefused(
            _('%(number)s has the status "%(status)s": set it to Open first.')
            % {"number": ticket.number, "status": ticket.get_status_display()}
        )


def refuse_stale(record: Ticket | Task, expected_version: int | None) -> None:
    """`Conflict` if the record is no longer at the version that the caller has read."""
    if expected_version is not None and record.version != expected_version:
        raise Conflict(
            _("%(number)s was changed by somebody else in the meantime. Reload the page and apply your change again.")
            % {"number": record.number}
        )


def checked_title(title: str) -> str:
    """The title without space around it; `InvalidInput` if nothing is left or it is longer than its column."""
    title = title.strip()
    if not title:
        raise InvalidInput(_("A title is needed."))
    if len(title) > MAX_TITLE_CHARACTERS:
        raise InvalidInput(_("The title is longer than %(limit)d characters.") % {"limit": MAX_TITLE_CHARACTERS})
    return title


def check_moment(moment: datetime, naive: str) -> None:
    """`InvalidInput` (with the text `naive`) without a time zone, and near the ends of the calendar: there the local
    time of whoever looks at it does not exist, and no page that shows it could be opened."""
    if timezone.is_naive(moment):
        raise InvalidInput(naive)
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise InvalidInput(
            _("Give a moment in the years %(first)d to %(last)d.") % {"first": FIRST_YEAR, "last": LAST_YEAR}
        )


def note_communication(actor: Actor, ticket: Ticket) -> None:
    """Something was said or sent: by us (internal), or by the contact or another desk (external)."""
    outside = actor.kind in (ActorKind.END_USER, ActorKind.EXTERNAL)
    field = "external_update_at" if outside else "internal_update_at"
    Ticket.objects.filter(pk=ticket.pk).update(**{field: timezone.now()})


def authored(actor: Actor) -> dict[str, Any]:
    """The columns that name the author of a note, an attachment or a history row."""
    return {
        "actor_kind": actor.kind,
        "actor_key": actor.key,
        "author_name": actor.name[:200],
        "author_id": actor.user_id,
    }


def write_history(
    actor: Actor,
    event: str,
    *,
    ticket: Ticket,
    task: Task | None = None,
    text: str = "",
    changes: dict[str, tuple[Any, Any]] | None = None,
) -> None:
    """One row for the event, or one for each changed field. Events make it a change that lists show: `listing`."""
    rows = [
        History(
            ticket=ticket,
            task=task,
            event=event,
            field=field,
            old="" if old is None else str(old),
            new="" if new is None else str(new),
            text=text,
            **authored(actor),
        )
        for field, (old, new) in (changes or {"": ("", "")}).items()
    ]
    History.objects.bulk_create(rows)
    if isinstance(event, EventName):
        Ticket.objects.filter(pk=ticket.pk).update(listed_at=None)


def set_fields(record: models.Model, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Set what differs and raise the version; returns field -> (before, after), empty if nothing differs."""
    changes = {
        name: (getattr(record, name), value) for name, value in values.items() if getattr(record, name) != value
    }
    if changes:
        for name, (_before, value) in changes.items():
            setattr(record, name, value)
        record.version += 1  # type: ignore[attr-defined]  # both kinds of record have it
        record.save(update_fields=[*changes, "version", "updated_at"])
    return changes
