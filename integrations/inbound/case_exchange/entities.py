"""Entities as we write them: an event for the feed, a task in an answer, and the names of values, both ways."""

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any, Final

from integrations.models import ExchangedFile
from tickets.models import Task

ENTITY_TYPE: Final = "Incident"
CODE_PREFIX: Final = "CompletionCode"
# In the order of the ranks of our priorities, from 1.
URGENCIES: Final = ("TotalLossOfService", "SevereDisruption", "SlightDisruption", "NoDisruption")
IMPACTS: Final = ("Enterprise", "SiteDepartment", "MultipleUsers", "SingleUser")
# What an entity has whatever the caller's layout says.
ALWAYS: Final = ("Id", "LastUpdateTime")
PROPERTIES: Final = (
    *ALWAYS,
    "DisplayLabel",
    "Description",
    "Urgency",
    "Category",
    "Status",
    "PhaseId",
    "Solution",
    "CompletionCode",
    "ExpectedResolutionTime",
    "IncidentAttachments",
    "ContactEmail",
    "ContactName",
)


def of_event(context: Mapping[str, Any], *, file: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The entity of an event, whose context is that of templates; `file` describes the event's file.

    It is the incident as it stood then, so that whoever missed one entry learns all from the next. A comment has the
    time of its note, whichever operation carries it: by text and time the other desk drops what it has.
    """
    event, task, ticket = context["event"], context["task"], context["ticket"]
    properties = {
        "Id": task["number"],
        "DisplayLabel": task["title"] or ticket["title"],
        "Description": task["description"] or ticket["description"],
        "Urgency": urgency_of(ticket["priority"]["rank"]),
        "Category": ticket["category"]["code"] or "",
        "Status": ticket["status"]["name"],
        "PhaseId": camel(task["phase"]),
        "Solution": task["solution"],
        "CompletionCode": code_of(task["completion_code"]),
        "ExpectedResolutionTime": milliseconds(task["expected_resolution_at"]),
        "ContactEmail": ticket["contact"]["email"],
        "ContactName": ticket["contact"]["name"],
    }
    if file is not None:
        properties["IncidentAttachments"] = attachments([file])
    return {
        "entity_type": ENTITY_TYPE,
        "properties": properties,
        "Comments": list(_comments(event, ticket["notes"], task["solution"])),
        "ext_properties": {
            "ExternalSystem": context["system"]["code"],
            "Operation": camel(event["operation"]),
            "ExternalId": task["external_reference"],
            "ExternalEntityType": ENTITY_TYPE,
        },
    }


def of_task(task: Task) -> dict[str, Any]:
    """What an answer says of a task."""
    ticket = task.ticket
    changes = (task.updated_at, ticket.updated_at, ticket.internal_update_at, ticket.external_update_at)
    return {
        "Id": task.number,
        "LastUpdateTime": milliseconds(max(change for change in changes if change is not None)),
        "Status": task.ticket.get_status_display(),
        "PhaseId": camel(task.phase),
    }


def laid_out(properties: Mapping[str, Any], layout: Collection[str]) -> dict[str, Any]:
    """The properties that the caller wants; all without a layout."""
    return {name: value for name, value in properties.items() if not layout or name in layout or name in ALWAYS}


def described(file: ExchangedFile) -> dict[str, Any]:
    """A file as it is named in `IncidentAttachments`."""
    return {
        "id": str(file.guid),
        "file_name": file.name,
        "size": file.size,
        "mime_type": file.content_type or "application/octet-stream",
    }


def attachments(files: Iterable[Mapping[str, Any]]) -> str:
    """The value of `IncidentAttachments`: JSON within JSON."""
    return json.dumps({"complexTypeProperties": [{"properties": dict(file)} for file in files]}, ensure_ascii=False)


def camel(code: str) -> str:
    """`initial_support` as `InitialSupport`."""
    return "".join(word[:1].upper() + word[1:] for word in code.split("_"))


def code_of(completion_code: str) -> str:
    """A completion code of ours as Case Exchange spells it; empty: none."""
    return CODE_PREFIX + camel(completion_code) if completion_code else ""


def completion_code_of(given: str) -> str:
    """Our spelling of a completion code, with or without the prefix, in any case: `CompletionCodeRequestRejected`,
    `requestRejected`, `request_rejected`. What is unknown stays so: the operation refuses it."""
    name = given.strip()
    if name.lower().startswith(CODE_PREFIX.lower()):
        name = name[len(CODE_PREFIX) :]
    if name.isupper():
        name = name.lower()
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|[\s-]+", "_", name).lower()


def urgency_of(rank: int) -> str:
    """The urgency for the rank of a priority."""
    return URGENCIES[min(max(rank, 1), len(URGENCIES)) - 1]


def milliseconds(moment: datetime | str | None) -> int | None:
    """Milliseconds since 1970, as all times of Case Exchange."""
    if not moment:
        return None
    at = datetime.fromisoformat(moment) if isinstance(moment, str) else moment
    return int(at.timestamp() * 1000)


def _comments(event: Mapping[str, Any], notes: list[dict[str, Any]], solution: str) -> Iterable[dict[str, Any]]:
    """What was said in this event; a task that is given to the desk takes the notes so far along."""
    said = {f"note-{note['id']}": note for note in notes}
    if event["operation"] == "assign":
        yield from (_comment(note["text"], note["at"], note["author"]) for note in notes)
    if event["text"] == solution:
        # A solution that was proposed or accepted has a property of its own.
        return
    if event["text"] and (event["operation"] != "assign" or event["message_id"] not in said):
        at = said.get(event["message_id"], event)["at"]
        yield _comment(event["text"], at, event["author"], event["visibility"])


def _comment(text: str, at: str, author: str, visibility: str = "public") -> dict[str, Any]:
    return {
        "CreatedTime": milliseconds(at),
        "IsSystem": False,
        "Body": text,
        "PrivacyType": visibility.upper(),
        "Author": author,
    }
