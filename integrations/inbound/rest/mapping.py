"""REST bodies to messages: when they arrive, and again when a refused one is replayed."""

import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from django.urls import Resolver404, get_script_prefix, resolve
from django.utils.translation import gettext as _

from integrations.inbound import messages, people
from integrations.inbound.problems import Malformed
from integrations.inbound.rest import incoming
from integrations.models import Exchange
from tickets.actions import FileContent

BODIES: Mapping[str, type[incoming.MessageBody]] = {
    "acknowledge": incoming.Acknowledgement,
    "update": incoming.Update,
    "reassign": incoming.Reassignment,
    "operations": incoming.Operation,
    "attach": incoming.Files,
    "create": incoming.NewTicket,
    "create_contact": incoming.Person,
    "update_contact": incoming.PersonChange,
    "delete_contact": incoming.NoBody,
}


def message_of(operation: str, data: Any, *, task_number: str = "", contact_id: int = 0) -> messages.Message:
    """The message that a body stands for. Raises a `ValidationError` that names each wrong field."""
    body = BODIES[operation](data=data)
    body.is_valid(raise_exception=True)
    values = body.validated_data
    common = {"message_id": values["message_id"], "author": values["author"]}
    match operation:
        case "create_contact":
            return people.NewContact(**values)
        case "update_contact":
            return people.ContactChange(contact=contact_id, **values)
        case "delete_contact":
            return people.ContactRemoval(contact=contact_id)
        case "acknowledge":
            return messages.Acknowledgement(
                task_number=task_number, external_reference=values["external_reference"], **common
            )
        case "update":
            return messages.Update(
                task_number=task_number,
                text=values["text"],
                visibility=values["visibility"],
                files=_files(values["attachments"]),
                expected_resolution_at=values["expected_resolution_at"],
                written_at=values["written_at"],
                note_id=values["note_id"],
                # Whoever names its own id of a text has written it.
                theirs=bool(values["note_id"]),
                **{name: values[name] for name in ("title", "description", "priority", "category")},
                **common,
            )
        case "reassign":
            return messages.Reassignment(
                task_number=task_number,
                solution=values["solution"],
                completion_code=values["completion_code"],
                status=values["status"],
                **common,
            )
        case "operations":
            return _operation(values, {"task_number": task_number, **common})
        case "attach":
            return messages.Files(
                task_number=task_number,
                files=_files(values["attachments"]),
                visibility=values["visibility"],
                **common,
            )
        case _:
            return messages.NewTicket(
                external_reference=values["external_reference"],
                title=values["title"],
                description=values["description"],
                contact_email=(values["contact"] or {}).get("email", ""),
                contact_name=(values["contact"] or {}).get("name", ""),
                priority=values["priority"],
                category=values["category"],
                queue=values["queue"],
                comments=tuple(_comment(message) for message in values["messages"]),
                files=_files(values["attachments"]),
                **common,
            )


def _operation(values: dict[str, Any], common: dict[str, Any]) -> messages.Message:
    solved: dict[str, Any] = {"solution": values["solution"], "completion_code": values["completion_code"]}
    match values["operation"]:
        case "resolve":
            return messages.Resolution(**solved, **common)
        case "close":
            return messages.Closure(**solved, **common)
        case "reopen":
            return messages.Reopening(reason=values["reason"], **common)
        case "assign":
            return messages.LocalAssignment(**common)
        case "reject":
            return messages.Rejection(reason=values["reason"], **common)
        case _:
            return messages.Cancellation(**common)


def read_again(exchange: Exchange) -> messages.Message:
    """The message of a recorded call. Raises as `message_of` does, and `Malformed` if nothing usable was stored."""
    try:
        address = resolve("/" + urlsplit(exchange.url).path.removeprefix(get_script_prefix()).lstrip("/"))
        data = json.loads(exchange.request_body)
    except (Resolver404, ValueError, RecursionError) as error:
        raise Malformed(_("What is stored of this message cannot be read again.")) from error
    if exchange.operation not in BODIES:
        raise Malformed(_("This call is not a message that could be read again."))
    return message_of(
        exchange.operation,
        data,
        task_number=address.kwargs.get("number", ""),
        contact_id=address.kwargs.get("contact_id", 0),
    )


def _comment(given: dict[str, Any]) -> messages.Comment:
    return messages.Comment(
        text=given["text"],
        created_at=given["written_at"].isoformat(),
        written_at=given["written_at"],
        visibility=given["visibility"],
        author=given["author"],
        note_id=given["note_id"],
    )


def _files(given: list[dict[str, Any]]) -> tuple[FileContent, ...]:
    return tuple(
        FileContent(name=file["name"], data=file["content"], content_type=file["content_type"]) for file in given
    )
