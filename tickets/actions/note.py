"""Add to the conversation."""

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext as _

from tickets.actions.attachment import FileContent, store
from tickets.actions.record import authored, lock_ticket, note_communication, refuse_merged, write_history
from tickets.actions.ticket_status import wake_ticket
from tickets.actors import Actor, ActorKind
from tickets.errors import InvalidInput
from tickets.events import Event, EventName, publish
from tickets.models import Note, Task, Ticket, Visibility

MAX_NOTE_CHARACTERS = 200_000


@transaction.atomic
def add_note(
    *,
    actor: Actor,
    ticket: Ticket,
    body: str,
    task: Task | None = None,
    visibility: str = Visibility.PUBLIC,
    files: Iterable[FileContent] = (),
) -> Note:
    """A note on the ticket or on one of its tasks, with its files: one event for the text, then one for each file.

    A contact's wakes the ticket; whether another desk's does, depends on what it was sent for.
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
    note = Note.objects.create(ticket=ticket, task=task, body=body, visibility=visibility, **authored(actor))
    note_communication(actor, ticket)
    write_history(actor, EventName.NOTE_ADDED, ticket=ticket, task=task)
    publish(Event(name=EventName.NOTE_ADDED, actor=actor, ticket=ticket, task=task, note=note, text=body))
    for content in files:
        store(actor=actor, ticket=ticket, task=task, note=note, content=content, visibility=visibility)
    if actor.kind == ActorKind.END_USER:
        wake_ticket(actor=actor, ticket=ticket)
    return note
