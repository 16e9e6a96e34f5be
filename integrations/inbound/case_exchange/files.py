"""Files that a desk knows by a guid: uploaded before they are named in a message, or offered in its feed."""

import contextlib
import hashlib
import uuid
from datetime import timedelta
from typing import IO, Final
from urllib.parse import unquote

from django.conf import settings
from django.core.files.base import ContentFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.problems import NotFound, TooLarge
from integrations.models import ExchangedFile, ExternalSystem
from tickets.actions.attachment import safe_name
from tickets.models import Attachment

# How long an upload waits for the message that names it.
UPLOAD_HOURS: Final = 24


def name_in(header: str) -> str:
    """The file name in a header: percent-encoded, or UTF-8 as it is (a header arrives as Latin-1); empty: none."""
    with contextlib.suppress(UnicodeError):
        header = header.encode("latin-1").decode()
    name = unquote(header).strip()
    return safe_name(name) if name else ""


@transaction.atomic
def upload(*, system: ExternalSystem, name: str, content_type: str, data: bytes) -> ExchangedFile:
    """Keep a file until it is named in a message. The same again is the same file. Raises `TooLarge`."""
    if len(data) > settings.MAX_ATTACHMENT_BYTES:
        limit = settings.MAX_ATTACHMENT_BYTES // 1024**2
        raise TooLarge(_("The file is larger than %(limit)d MB.") % {"limit": limit})
    row, _created = ExchangedFile.objects.get_or_create(
        system=system,
        sha256=hashlib.sha256(data).hexdigest(),
        name=name,
        defaults={"size": len(data), "content_type": content_type[:100]},
    )
    row = ExchangedFile.objects.select_for_update(no_key=True).get(pk=row.pk)
    row.created_at = timezone.now()
    if not row.file and not row.attachments.exists():
        row.file.save("", ContentFile(data), save=False)
    row.save(update_fields=["created_at", "file"])
    return row


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
    try:
        row = ExchangedFile.objects.filter(system=system, guid=uuid.UUID(guid)).first()
    except ValueError:
        row = None
    if row is None:
        raise NotFound(_('There is no file "%(guid)s" for you.') % {"guid": guid[:100]})
    return row


def opened(row: ExchangedFile) -> IO[bytes]:
    """The content, to be closed by the caller. Raises `NotFound` where it is gone."""
    with contextlib.suppress(FileNotFoundError):
        if row.file:
            return row.file.open("rb")
        if (attachment := row.attachments.order_by("pk").first()) is not None:
            return attachment.file.open("rb")
    raise NotFound(_('The file "%(guid)s" is no longer there: upload it again.') % {"guid": row.guid})


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
            storage, path = found.file.storage, found.file.name
            if found.attachments.exists():
                found.file = ""
                found.save(update_fields=["file"])
            else:
                found.delete()
            transaction.on_commit(lambda storage=storage, path=path: storage.delete(path))
            removed += 1
    return removed
