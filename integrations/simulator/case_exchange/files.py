"""The file list: what was uploaded, to be linked to a ticket, and what of ours waits to be fetched."""

import base64
import uuid
from collections.abc import Mapping
from urllib.parse import unquote

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from integrations.simulator.case_exchange.service import File
from integrations.simulator.desk import NotFound, Refused
from integrations.simulator.intake import Work
from integrations.simulator.models import ListedFile, OutgoingMessage

LONGEST_NAME = 255


def upload(request: HttpRequest) -> Work:
    """Keep the body as a file. Its name is in the header fs_filename, percent-encoded or plain, if it has one yet.

    Raises `Refused`.
    """
    # WSGI hands headers over as latin-1, whatever they were.
    raw = request.META.get("HTTP_FS_FILENAME", "").encode("latin-1", errors="replace").decode(errors="replace")
    name = unquote(raw).strip()
    if len(name) > LONGEST_NAME:
        raise Refused.because_of({"fs_filename": [_("A name has at most 255 characters.")]})
    file = keep(name, request.headers.get("Content-Type", ""), request.body)
    answer = {"guid": file.guid, "name": name, "size": len(request.body), "contentType": file.content_type}
    return Work(JsonResponse(answer))


def download(guid: str) -> Work:
    """The file's content, as a download. Raises `NotFound`."""
    file = ListedFile.objects.filter(guid=guid).first()
    if file is None:
        raise NotFound(_("There is no file %(guid)s.") % {"guid": guid})
    response = HttpResponse(bytes(file.content), content_type=file.content_type)
    response["Content-Disposition"] = content_disposition_header(True, file.name) or "attachment"
    return Work(response)


def keep(name: str, content_type: str, content: bytes) -> ListedFile:
    """Put a file into the list."""
    kind = content_type.strip()[:200] or "application/octet-stream"
    return ListedFile.objects.create(guid=str(uuid.uuid4()), name=name, content_type=kind, content=content)


def keep_ours(message: OutgoingMessage) -> None:
    """Put the message's files into the list for the portal to fetch, each once; the message names them then."""
    files = message.payload.get("attachments", [])
    for file in files:
        if "guid" not in file:
            content = base64.b64decode(file["content"])
            file["guid"] = keep(file["name"], file["content_type"], content).guid
            file["size"] = len(content)
    if files:
        message.save(update_fields=["payload"])


def named(names: Mapping[str, str]) -> list[File]:
    """The uploaded files with these ids, and these names if they came without. Raises `Refused` for unknown ids."""
    found = {file.guid: file for file in ListedFile.objects.filter(guid__in=names)}
    if missing := [guid for guid in names if guid not in found]:
        text = _("There is no file %(guid)s.") % {"guid": ", ".join(missing)}
        raise Refused.because_of({"IncidentAttachments": [text]})
    files = [(found[guid], found[guid].name or name or guid) for guid, name in names.items()]
    return [File(file.guid, name, file.content_type, bytes(file.content)) for file, name in files]
