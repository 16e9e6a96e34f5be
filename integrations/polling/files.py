"""Files that polled entries name: fetched before the entry is taken over, and kept as if they had been uploaded."""

import json
import re
from tempfile import TemporaryFile
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound import exchanged_files
from integrations.inbound.case_exchange import entities
from integrations.inbound.problems import Invalid
from integrations.inbound.rest.incoming import MAX_FILES
from integrations.models import ExchangedFile
from integrations.polling.asking import Asking
from tickets.actions.attachment import LargeFile

ATTACHMENTS: Final = "IncidentAttachments"
# Desks name all files of an incident in each of its entries, as they do where they call.
MOST_NAMED: Final = MAX_FILES * 10

# Of dots alone it would be a step up in the address; half a surrogate pair cannot be written into one.
FILE_ID: Final = re.compile(r"(?!\.+$)[^\x00-\x20/\\\ud800-\udfff]{1,100}")


def with_files(asking: Asking, entity: dict[str, Any]) -> dict[str, Any]:
    """The entity with files of ours in the place of those that it names. Each is fetched once, waits for its message
    like an upload, and is attached once however often it is named.

    Raises `Refused` for a list that cannot be read or a file that is not to be had, else as `Asking.file` does.
    """
    named = entity["properties"].get(ATTACHMENTS)
    if not named:
        return entity
    rows = [_file(asking, properties) for properties in _named_files(named)]
    value = entities.attachments([entities.described(row) for row in rows])
    return {**entity, "properties": {**entity["properties"], ATTACHMENTS: value}}


def _file(asking: Asking, properties: dict[str, Any]) -> ExchangedFile:
    their_id = properties["id"]
    known = ExchangedFile.objects.filter(system=asking.system, their_id=their_id).order_by("-pk").first()
    if known is not None and (known.file or known.attachments.exists()):
        # So that it is not removed as an upload that nobody has named, right before it is.
        ExchangedFile.objects.filter(pk=known.pk).update(created_at=timezone.now())
        return known
    with TemporaryFile() as file:
        asking.file(their_id, file)
        content = LargeFile(
            name=exchanged_files.name_in(str(properties.get("file_name") or "")),
            data=b"",
            content_type=str(properties.get("mime_type") or ""),
            file=file,
        )
        row, _created = exchanged_files.keep(system=asking.system, content=content)
    ExchangedFile.objects.filter(pk=row.pk).update(their_id=their_id)
    return row


def _named_files(value: Any) -> list[dict[str, Any]]:
    """The files in `IncidentAttachments`: JSON within JSON, or the object itself."""
    refusal = Invalid(_("IncidentAttachments is no list of files with an id each."))
    try:
        listed = json.loads(value) if isinstance(value, str) else value
        found = [item["properties"] for item in listed["complexTypeProperties"]]
        readable = all(isinstance(each["id"], str) and FILE_ID.fullmatch(each["id"]) for each in found)
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise refusal from error
    if not readable:
        raise refusal
    if len(found) > MOST_NAMED:
        raise Invalid(_("It names more than %(count)d files.") % {"count": MOST_NAMED})
    return found
