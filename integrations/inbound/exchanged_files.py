"""Files that a desk knows by a guid: uploaded before they are named in a message, or offered in its feed."""

import contextlib
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import IO, Final
from urllib.parse import unquote

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.bodies import storable
from integrations.inbound.problems import Invalid, NotFound, TooLarge
from integrations.models import ExchangedFile, ExternalReference, ExternalSystem, TheirMessageOrigin
from integrations.their_messages import FILE, remember
from tickets.actions import FileContent
from tickets.actions.attachment import LargeFile, refuse_kind, safe_name
from tickets.errors import InvalidInput
from tickets.models import Attachment, Ticket

# How long an upload waits for the message that names it.
UPLOAD_HOURS: Final = 24


@dataclass(frozen=True)
class KnownFile(FileContent):
    """A file that a message names instead of bringing it along. Named twice for one ticket, it is attached once."""

    guid: str = ""


@dataclass(frozen=True)
class ListedFile(LargeFile):
    """A file that a look at the desk's ticket has found under the id `their_id`. `reference_id` is that of the
    `ExternalReference`."""

    reference_id: int = field(kw_only=True)
    their_id: str = field(kw_only=True)


def name_in(header: str) -> str:
    """The file name in a header: percent-encoded, or UTF-8 as it is (a header arrives as Latin-1); empty: none."""
    with contextlib.suppress(UnicodeError):
        header = header.encode("latin-1").decode()
    name = unquote(header).strip()
    return safe_name(name) if name else ""


def upload(*, system: ExternalSystem, name: str, content_type: str, data: bytes) -> tuple[ExchangedFile, bool]:
    """`keep` for a file that is in memory."""
    return keep(system=system, content=FileContent(name, data, content_type))


@transaction.atomic
def keep(*, system: ExternalSystem, content: FileContent) -> tuple[ExchangedFile, bool]:
    """Keep a file until it is named in a message; the row, and whether it is new: the same again is the same file.
    Raises `TooLarge`, and `Invalid` for a kind that is not taken over."""
    if content.size > settings.MAX_ATTACHMENT_BYTES:
        limit = settings.MAX_ATTACHMENT_BYTES // 1024**2
        raise TooLarge(_("The file is larger than %(limit)d MB.") % {"limit": limit})
    try:
        refuse_kind(content.name, content.content_type)
    except InvalidInput as refused:
        raise Invalid(str(refused)) from refused
    row, created = ExchangedFile.objects.get_or_create(
        system=system,
        sha256=content.sha256,
        name=content.name,
        defaults={"size": content.size, "content_type": storable(content.content_type)[:100]},
    )
    row = ExchangedFile.objects.select_for_update(no_key=True).get(pk=row.pk)
    row.created_at = timezone.now()
    if not row.file and not row.attachments.exists():
        row.file.save("", content.opened(), save=False)
    row.save(update_fields=["created_at", "file"])
    return row, created


def is_attached(file: FileContent, ticket: Ticket) -> bool:
    """Whether the file was attached to the ticket before; the caller has locked the ticket."""
    if isinstance(file, ListedFile):
        # A call may have brought it in the meantime.
        return Attachment.objects.filter(ticket=ticket, sha256=file.sha256, name=file.name).exists()
    if not isinstance(file, KnownFile):
        return False
    return ExchangedFile.objects.filter(guid=file.guid, attachments__ticket=ticket).exists()


def was_attached(file: FileContent, attachment: Attachment) -> None:
    """Remember what the file became, while the ticket is locked: a call may be bringing the same file."""
    if isinstance(file, ListedFile):
        looked_at = ExternalReference.objects.select_related("task", "system").get(pk=file.reference_id)
        origin = TheirMessageOrigin.THEIRS
        remember(looked_at.task, looked_at.system, FILE, file.their_id, origin, attachment=attachment)
    if isinstance(file, KnownFile):
        ExchangedFile.objects.get(guid=file.guid).attachments.add(attachment)


def offer(*, system: ExternalSystem, attachment: Attachment) -> ExchangedFile:
    """The file under which the desk finds this attachment; in the caller's transaction."""
    row, _created = ExchangedFile.objects.get_or_create(
        system=system,
        sha256=attachment.sha256,
        name=attachment.name,
        defaults={"size": attachment.size, "content_type": attachment.content_type},
    )
    row.attachments.add(attachment)
    return row


def known_to(system: ExternalSystem, guid: str) -> ExchangedFile:
    """The file of this guid. Raises `NotFound`, also for another desk's."""
    for row in known_files(system, [guid]).values():
        return row
    raise NotFound(_('There is no file "%(guid)s" for you.') % {"guid": guid[:100]})


def known_files(system: ExternalSystem, guids: Iterable[str]) -> dict[str, ExchangedFile]:
    """The files that the desk knows by these guids; another desk's are not among them."""
    valid = []
    for guid in guids:
        with contextlib.suppress(ValueError):
            valid.append(uuid.UUID(guid))
    rows = ExchangedFile.objects.filter(system=system, guid__in=valid).prefetch_related("attachments")
    return {str(row.guid): row for row in rows}


def attached_to(ticket_id: int | None, files: Iterable[ExchangedFile]) -> set[uuid.UUID]:
    """The guids of those that the ticket has already; without a ticket: none."""
    if ticket_id is None:
        # A lookup for NULL would find the uploads that nothing has attached yet.
        return set()
    rows = ExchangedFile.objects.filter(pk__in=[file.pk for file in files], attachments__ticket=ticket_id)
    return set(rows.values_list("guid", flat=True))


def opened(row: ExchangedFile) -> IO[bytes]:
    """The content, to be closed by the caller. Raises `NotFound` where it is gone."""
    with contextlib.suppress(FileNotFoundError):
        if row.file:
            return row.file.open("rb")
        attachments = list(row.attachments.all())
        if attachments:
            return attachments[0].file.open("rb")
    raise NotFound(_('The file "%(guid)s" is no longer there: upload it again.') % {"guid": row.guid})


def content_of(row: ExchangedFile) -> bytes:
    """All of it. Raises as `opened` does."""
    with opened(row) as file:
        return file.read()


def forget_uploads() -> int:
    """Remove what was uploaded and never named, and the copies of what was attached meanwhile; how many."""
    waiting = ExchangedFile.objects.filter(created_at__lt=timezone.now() - timedelta(hours=UPLOAD_HOURS))
    removed = 0
    for row in waiting.exclude(file="").order_by("pk")[:1000]:
        with transaction.atomic():
            # Locked, as the same file may be uploaded again at this moment.
            found = waiting.select_for_update(no_key=True).filter(pk=row.pk).first()
            if found is None:
                continue
            storage, path = found.file.storage, str(found.file.name)
            if found.attachments.exists():
                found.file = ""
                found.save(update_fields=["file"])
            else:
                found.delete()
            transaction.on_commit(partial(storage.delete, path))
            removed += 1
    return removed
