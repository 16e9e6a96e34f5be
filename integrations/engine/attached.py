"""The file that an event is about: in base64 for a template, or piece by piece behind a body."""

import base64
import hashlib
from dataclasses import asdict, dataclass
from typing import IO, Any

from django.conf import settings
from django.utils.translation import gettext as _

from integrations.templating import TemplateFailed
from integrations.transports.errors import RequestInvalid
from integrations.transports.http import CHUNK, SentFile
from tickets.models import Attachment


@dataclass(frozen=True)
class PinnedFile:
    """The file of a pinned request: which it is, and what it was. Its content stays where files are kept.

    `after` is what follows it in the body. Retries send the same bytes or none, so its checksum is looked at before
    each sending.
    """

    attachment: int
    size: int
    sha256: str
    after: str = ""

    def kept(self) -> dict[str, Any]:
        """As it is kept with the request."""
        return asdict(self)

    def as_sent(self) -> SentFile:
        """The form that the door to the network takes."""
        return SentFile(size=self.size, open=self._open, after=self.after.encode())

    def _open(self) -> IO[bytes]:
        row = Attachment.objects.filter(pk=self.attachment).first()
        try:
            opened: IO[bytes] | None = row.file.open("rb") if row is not None else None
        except OSError as error:
            raise RequestInvalid(_("The file cannot be read.")) from error
        if opened is None:
            raise RequestInvalid(_("The file is no longer there."))
        if _checksum(opened) != self.sha256:
            opened.close()
            raise RequestInvalid(_("The file is not the one any more that was to be sent: its checksum is another."))
        opened.seek(0)
        return opened


def attachment_of(context: dict[str, Any]) -> Attachment | None:
    """The event's file, None where it has none. Raises `TemplateFailed` where it is gone or may not be exchanged."""
    attachment_id = context["attachment"].get("id")
    if attachment_id is None:
        return None
    attachment = Attachment.objects.filter(pk=attachment_id).first()
    if attachment is None:
        raise TemplateFailed(_("The file is no longer there."), name="attachment")
    if attachment.size > settings.MAX_ATTACHMENT_BYTES:
        raise TemplateFailed(
            _("The file has %(size)s bytes, and %(limit)s may be exchanged.")
            % {"size": attachment.size, "limit": settings.MAX_ATTACHMENT_BYTES},
            name="attachment",
        )
    return attachment


def in_base64(context: dict[str, Any]) -> str | None:
    """The content of the event's file for a template, which takes it as a whole; None where it has none. Raises
    `TemplateFailed` where it cannot be read."""
    attachment = attachment_of(context)
    if attachment is None:
        return None
    try:
        with attachment.file.open("rb") as opened:
            return base64.b64encode(opened.read()).decode()
    except OSError as error:
        raise TemplateFailed(_("The file cannot be read."), name="attachment") from error


def _checksum(opened: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while piece := opened.read(CHUNK):
        digest.update(piece)
    return digest.hexdigest()
