"""Attach files."""

import hashlib
import mimetypes
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from io import SEEK_END
from typing import IO

from django.conf import settings
from django.core.files.base import ContentFile, File
from django.db import transaction
from django.utils.translation import gettext as _

from tickets.actions.record import (
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
from tickets.models import Attachment, Note, Task, Ticket, Visibility

PIECE = 65_536
# Persian, the scripts of India and emoji cannot be written without them.
JOINERS = "\u200c\u200d"
CONTENT_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,50}/[A-Za-z0-9!#$&^_.+-]{1,49}")


@dataclass(frozen=True)
class FileContent:
    """A file as it came in: its name, its bytes and what kind it is said to be."""

    name: str
    data: bytes
    content_type: str = ""

    @property
    def size(self) -> int:
        """In bytes."""
        return len(self.data)

    @cached_property
    def sha256(self) -> str:
        """Its checksum, in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    def opened(self) -> File:
        """The content from its beginning, as storages take it."""
        return ContentFile(self.data)


@dataclass(frozen=True)
class LargeFile(FileContent):
    """A file that is not held in memory: `file` is open for reading for as long as this is used, `data` is empty."""

    file: IO[bytes] = field(kw_only=True, compare=False)

    @property
    def size(self) -> int:
        """In bytes."""
        return self.file.seek(0, SEEK_END)

    @cached_property
    def sha256(self) -> str:
        """Its checksum, in hexadecimal digits."""
        self.file.seek(0)
        digest = hashlib.sha256()
        while piece := self.file.read(PIECE):
            digest.update(piece)
        return digest.hexdigest()

    def opened(self) -> File:
        """The content from its beginning, as storages take it."""
        self.file.seek(0)
        return File(self.file)


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
    refuse_end_user(actor, ticket)
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
    if content.size > settings.MAX_ATTACHMENT_BYTES:
        raise InvalidInput(
            _("%(name)s is larger than %(limit)d MB.")
            % {"name": content.name, "limit": settings.MAX_ATTACHMENT_BYTES // 1024**2}
        )
    if actor.kind == ActorKind.EXTERNAL:
        refuse_kind(content.name, content.content_type)
    if visibility not in Visibility.values:
        raise InvalidInput(_('"%(value)s" is not a visibility: use public or internal.') % {"value": visibility})
    name = safe_name(content.name)
    attachment = Attachment(
        ticket=ticket,
        task=task,
        note=note,
        name=name,
        content_type=_content_type(content, name),
        size=content.size,
        sha256=content.sha256,
        visibility=visibility,
        **authored(actor),
    )
    attachment.file.save(name, content.opened(), save=False)
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


def refuse_kind(name: str, content_type: str) -> None:
    """`InvalidInput` for a file of a kind that is never taken over from outside: by its ending, what it is said to
    be, or both."""
    name = safe_name(name)
    endings = {f".{part.lower()}" for part in name.split(".")[1:]}
    refused = endings & {f".{ending.lower().lstrip('.')}" for ending in settings.REFUSED_FILE_ENDINGS}
    said = {content_type.split(";")[0].strip().lower(), (mimetypes.guess_type(name)[0] or "").lower()} - {""}
    refused |= said & {kind.lower() for kind in settings.REFUSED_FILE_TYPES}
    if refused:
        raise InvalidInput(
            _("%(name)s is not taken over. Files of this kind are refused: %(kind)s.")
            % {"name": name, "kind": ", ".join(sorted(refused))}
        )


def safe_name(name: str) -> str:
    """The file's own name in any script, without folders, control characters or bidirectional tricks; never empty."""
    name = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    hidden = {"Cc", "Cf", "Cs"}
    name = "".join(c for c in name if c in JOINERS or unicodedata.category(c) not in hidden).strip(f" .{JOINERS}")
    if len(name) > 200:
        stem, dot, ending = name.rpartition(".")
        name = f"{stem[: 199 - len(ending)]}.{ending}" if dot and len(ending) <= 20 else name[:200]
    return name or "file"


def _content_type(content: FileContent, name: str) -> str:
    stated = content.content_type.split(";")[0].strip().lower()
    if CONTENT_TYPE.fullmatch(stated):
        return stated
    return mimetypes.guess_type(name)[0] or "application/octet-stream"
