"""Add to the conversation."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions.attachment import FileContent, store
from tickets.actions.record import (
    FIRST_YEAR,
    authored,
    lock_ticket,
    note_communication,
    refuse_end_user,
    refuse_merged,
    write_history,
)
from tickets.actions.ticket_status import wake_ticket
from tickets.actors import Actor, ActorKind
from tickets.errors import InvalidInput
from tickets.events import Event, EventName, publish
from tickets.models import Note, Task, Ticket, Visibility

MAX_NOTE_CHARACTERS = 200_000
FAST_CLOCK: Final = timedelta(minutes=15)


@transaction.atomic
def add_note(
    *,
    actor: Actor,
    ticket: Ticket,
    body: str,
    task: Task | None = None,
    visibility: str = Visibility.PUBLIC,
    files: Iterable[FileContent] = (),
    written_at: datetime | None = None,
) -> Note:
    """A note on the ticket or on one of its tasks, with its files: one event for the text, then one for each file.

    A contact's wakes the ticket; whether another desk's does, depends on what it was sent for. `written_at` is when
    its author wrote it, by the clock over there, so that both sides keep one order; a clock that is too fast counts
    as now, and so does a time that is none, such as the year 1.
    """
    if not body.strip():
        raise InvalidInput(_("A note needs a text."))
    if len(body) > MAX_NOTE_CHARACTERS:
        raise InvalidInput(_("The text is longer than %(limit)d characters.") % {"limit": MAX_NOTE_CHARACTERS})
    if visibility not in Visibility.values:
        raise InvalidInput(_('"%(value)s" is not a visibility: use public or internal.') % {"value": visibility})
    if task is not None and task.ticket_id != ticket.pk:
        raise InvalidInput(_("The task belongs to another ticket."))
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    refuse_end_user(actor, ticket)
    now = timezone.now()
    if written_at is None or written_at.year < FIRST_YEAR or written_at >= now + FAST_CLOCK:
        written_at = now
    note = Note.objects.create(
        ticket=ticket,
        task=task,
        body=body,
        visibility=visibility,
        written_at=written_at,
        **authored(actor),
    )
    note_communication(actor, ticket)
    write_history(actor, EventName.NOTE_ADDED, ticket=ticket, task=task)
    publish(Event(name=EventName.NOTE_ADDED, actor=actor, ticket=ticket, task=task, note=note, text=body))
    for content in files:
        store(actor=actor, ticket=ticket, task=task, note=note, content=content, visibility=visibility)
    if actor.kind == ActorKind.END_USER:
        wake_ticket(actor=actor, ticket=ticket)
    return note
