"""Attach files."""

import hashlib
import mimetypes
import re
import unicodedata
from dataclasses import dataclass

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils.translation import gettext as _

from tickets.actions.record import authored, lock_ticket, note_communication, refuse_merged, write_history
from tickets.actions.ticket_status import wake_ticket
from tickets.actors import Actor, ActorKind
from tickets.errors import InvalidInput
from tickets.events import Event, EventName, publish
from tickets.models import Attachment, Note, Task, Ticket, Visibility

CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,50}/[A-Za-z0-9!#$&^_.+-]{1,49}")


@dataclass(frozen=True)
class FileContent:
    """A file as it came in: its name, its bytes and what kind it is said to be."""

    name: str
    data: bytes
    content_type: str = ""


@transaction.atomic
def attach(
    *,
    actor: Actor,
    ticket: Ticket,
    content: FileContent,
    task: Task | None = None,
    visibility: str = Visibility.PUBLIC,
) -> Attachment:
    """Attach a file to the ticket or to one of its tasks."""
    if task is not None and task.ticket_id != ticket.pk:
        raise InvalidInput(_("The task belongs to another ticket."))
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    note_communication(actor, ticket)
    attachment = store(actor=actor, ticket=ticket, task=task, note=None, content=content, visibility=visibility)
    if actor.kind == ActorKind.END_USER:
        wake_ticket(actor=actor, ticket=ticket)
    return attachment


def store(
    *,
    actor: Actor,
    ticket: Ticket,
    content: FileContent,
    task: Task | None,
    note: Note | None,
    visibility: str,
) -> Attachment:
    """Write the file, its row, its history and its event; inside the transaction of an action."""
    if len(content.data) > settings.MAX_ATTACHMENT_BYTES:
        raise InvalidInput(
            _("%(name)s is larger than %(limit)d MB.")
            % {"name": content.name, "limit": settings.MAX_ATTACHMENT_BYTES // 1024**2}
        )
    if visibility not in Visibility.values:
        raise InvalidInput(_('"%(value)s" is not a visibility: use public or internal.') % {"value": visibility})
    name = safe_name(content.name)
    attachment = Attachment(
        ticket=ticket,
        task=task,
        note=note,
        name=name,
        content_type=_content_type(content, name),
        size=len(content.data),
        sha256=hashlib.sha256(content.data).hexdigest(),
        visibility=visibility,
        **authored(actor),
    )
    attachment.file.save(name, ContentFile(content.data), save=False)
    attachment.save()
    write_history(actor, EventName.ATTACHMENT_ADDED, ticket=ticket, task=task, text=name)
    publish(
        Event(
            name=EventName.ATTACHMENT_ADDED,
            actor=actor,
            ticket=ticket,
            task=task,
            note=note,
            attachment=attachment,
        )
    )
    return attachment


def safe_name(name: str) -> str:
    """The file's own name in any script, without folders, control characters or bidirectional tricks; never empty."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    name = "".join(c for c in name if unicodedata.category(c) not in {"Cc", "Cf", "Cs"}).strip(" .")
    if len(name) > 200:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: 199 - len(ending)]}.{ending}" if dot and len(ending) <= 20 else name[:200]
    return name or "file"


def _content_type(content: FileContent, name: str) -> str:
    stated = content.content_type.split(";")[0].strip().lower()
    if CONTENT_TYPE.fullmatch(stated):
        return stated
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
