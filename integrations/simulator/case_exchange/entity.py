"""Reading an entity: what another desk writes, in the words of this one."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

from django.utils.translation import gettext as _

from integrations.simulator.desk import Refused
from integrations.simulator.models import Ticket

OPERATIONS = ("Create", "Assign", "Accept", "Update", "Resolve", "Reject", "Cancel", "Reopen", "Close")
ENTITY_TYPE = "Incident"
URGENCIES = {
    "TotalLossOfService": Ticket.Priority.URGENT,
    "SevereDisruption": Ticket.Priority.HIGH,
    "SlightDisruption": Ticket.Priority.NORMAL,
    "NoDisruption": Ticket.Priority.LOW,
}
# Their name to ours. What has none is known, and nothing is done with it.
PROPERTIES = {
    "Id": "",
    "DisplayLabel": "title",
    "Description": "description",
    "Urgency": "priority",
    "Solution": "solution",
    "CompletionCode": "completion_code",
    "ContactName": "contact_name",
    "ContactEmail": "contact_email",
    "IncidentAttachments": "",
    "ImpactScope": "",
    "Category": "",
    "ExpectedResolutionTime": "",
}
EXTERNAL = ("ExternalSystem", "Operation", "ExternalId", "ExternalEntityType", "ExternalStatus")
COMMENT = ("CreatedTime", "IsSystem", "Body", "PrivacyType", "Author")
# Half of a surrogate pair, which JSON can write, and no database.
NO_CHARACTER = re.compile(r"[\ud800-\udfff]")
PARTS = ("entity_type", "properties", "Comments", "ext_properties")


@dataclass(frozen=True, kw_only=True)
class Comment:
    """One comment; by its text and time a repetition is recognised."""

    text: str
    time: int = 0
    public: bool = True
    author: str = ""

    @property
    def message_id(self) -> str:
        """What we keep of its time."""
        return f"ces-{self.time}" if self.time else ""


@dataclass(frozen=True, kw_only=True)
class Entity:
    """One operation: `number` is ours for the ticket, `caller_reference` theirs; empty where they did not say."""

    operation: str
    number: str
    caller_reference: str
    requested_by: str
    values: Mapping[str, Any]
    comments: tuple[Comment, ...]
    # Name by id in the file list.
    files: Mapping[str, str]


def read(data: object, *, from_feed: bool = False) -> Entity:
    """Read an entity that was brought to us, or one of their feed. Raises `Refused`.

    In a feed, names that we do not know are left alone: its owner may tell more than we asked for.
    """
    entity = _object(data, "entity", () if from_feed else PARTS)
    if entity.get("entity_type") != ENTITY_TYPE:
        raise _wrong("entity_type", _("Only %(type)s is exchanged here.") % {"type": ENTITY_TYPE})
    properties = _object(entity.get("properties", {}), "properties", () if from_feed else PROPERTIES)
    external = _object(entity.get("ext_properties", {}), "ext_properties", () if from_feed else EXTERNAL)
    operation = external.get("Operation")
    if operation not in OPERATIONS:
        text = _("There is no operation %(name)s. There are: %(known)s.")
        raise _wrong("Operation", text % {"name": operation, "known": ", ".join(OPERATIONS)})
    ids = [_text(properties, "Id"), _text(external, "ExternalId")]
    number, caller_reference = reversed(ids) if from_feed else ids
    return Entity(
        operation=str(operation),
        number=number,
        caller_reference=caller_reference,
        requested_by=_text(external, "ExternalSystem"),
        values=_values(properties),
        comments=tuple(_comment(comment, from_feed) for comment in _list(entity.get("Comments"), "Comments")),
        files=_files(properties.get("IncidentAttachments")),
    )


def in_their_words(problem: Refused) -> Refused:
    """A refusal of the desk, with the names that Case Exchange has for its fields."""
    theirs = {ours: name for name, ours in PROPERTIES.items() if ours}
    if not problem.fields:
        return problem
    return Refused.because_of({theirs.get(name, name): errors for name, errors in problem.fields.items()})


def _values(properties: Mapping[str, Any]) -> dict[str, Any]:
    values = {ours: _text(properties, name) for name, ours in PROPERTIES.items() if ours and properties.get(name)}
    if urgency := values.get("priority"):
        if urgency not in URGENCIES:
            known = ", ".join(URGENCIES)
            raise _wrong("Urgency", _("It is one of: %(known)s.") % {"known": known})
        values["priority"] = URGENCIES[urgency]
    return values


def _comment(data: object, from_feed: bool) -> Comment:
    comment = _object(data, "Comments", () if from_feed else COMMENT)
    time = comment.get("CreatedTime", 0)
    if isinstance(time, bool) or not isinstance(time, int) or time < 0:
        raise _wrong("CreatedTime", _("Write milliseconds since 1970."))
    privacy = comment.get("PrivacyType", "PUBLIC")
    if privacy not in ("PUBLIC", "PRIVATE") and not from_feed:
        raise _wrong("PrivacyType", _("Write PUBLIC or PRIVATE."))
    text = _text(comment, "Body")
    if not text.strip():
        raise _wrong("Body", _("A comment needs its text."))
    return Comment(text=text, time=time, public=privacy == "PUBLIC", author=_text(comment, "Author"))


def _files(attachments: object) -> dict[str, str]:
    """The files in `IncidentAttachments`, name by id: JSON in a text, as the protocol has it."""
    if attachments in (None, ""):
        return {}
    try:
        listed = json.loads(cast("str", attachments))["complexTypeProperties"]  # anything else is a TypeError
        files = {file["properties"]["id"]: file["properties"].get("file_name") or "" for file in listed}
    except (AttributeError, KeyError, TypeError, ValueError, RecursionError) as problem:
        form = _('Write a text like {"complexTypeProperties": [{"properties": {"id": "..."}}]}.')
        raise _wrong("IncidentAttachments", form) from problem
    if not all(isinstance(guid, str) and guid and isinstance(name, str) for guid, name in files.items()):
        raise _wrong("IncidentAttachments", _("Each file needs its id."))
    if any(NO_CHARACTER.search(text) for text in (*files, *files.values())):
        raise _wrong("IncidentAttachments", _("The text holds something that is no character."))
    return files


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _wrong(name, _("Write a text."))
    if NO_CHARACTER.search(value):
        raise _wrong(name, _("The text holds something that is no character."))
    return value


def _list(value: object, name: str) -> list[Any]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise _wrong(name, _("Write a list."))
    return value


def _object(value: object, name: str, known: Mapping[str, str] | tuple[str, ...]) -> dict[str, Any]:
    """The object, with no other names than these (any, if none are given)."""
    if not isinstance(value, dict):
        raise _wrong(name, _("Write an object."))
    if known and (unknown := [key for key in value if key not in known]):
        raise Refused.because_of({key: [_("There is no such field.")] for key in unknown})
    return value


def _wrong(name: str, text: str) -> Refused:
    return Refused.because_of({name: [text]})
