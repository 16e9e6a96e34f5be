"""Entities to messages: when they arrive, and again when a refused one is replayed."""

import json
from typing import Any

from django.conf import settings
from django.db.models import F
from django.db.models.functions import Abs
from django.utils.translation import gettext as _

from integrations.inbound import messages
from integrations.inbound.case_exchange import incoming
from integrations.inbound.case_exchange.entities import URGENCIES, completion_code_of
from integrations.inbound.exchanged_files import KnownFile, attached_to, content_of, known_files
from integrations.inbound.problems import Invalid, Malformed, UnknownOperation
from integrations.inbound.rest.incoming import MAX_FILES
from integrations.models import Exchange, ExternalSystem
from tickets.actions import FileContent
from tickets.models import Priority, Task, Visibility


def message_of(data: Any, *, system: ExternalSystem) -> messages.Message:
    """The message that a body stands for. Raises a `ValidationError` that names each wrong field, and `Refused`."""
    entity = entity_of(data)
    properties, exchanged = entity["properties"], entity["ext_properties"]
    operation = operation_of(exchanged["Operation"])
    number, reference = properties["Id"], exchanged["ExternalId"]
    if not number and not reference:
        raise Invalid(
            _("Name the task: give Id (our number) or ExternalId (yours)."),
            fields={_path(name): [_("Missing.")] for name in ("Id", "ExternalId")},
        )
    named = {"task_number": number, "external_reference": reference}
    said: dict[str, Any] = {
        "comments": tuple(_comment(comment) for comment in entity["Comments"]),
        "files": _files(properties["IncidentAttachments"], system, named),
    }
    solved = {
        "solution": properties["Solution"],
        "completion_code": completion_code_of(properties["CompletionCode"]),
    }
    match operation:
        case "create":
            return _new_ticket(properties, reference, said)
        case "acknowledge":
            _needs(reference=reference, number=number)
            if any(said.values()):
                # Both relate our task to their number; a Create takes along what was said with it.
                return _new_ticket(properties, reference, said)
            return messages.Acknowledgement(**named)
        case "update":
            return messages.Update(
                **named,
                **said,
                expected_resolution_at=incoming.moment(properties["ExpectedResolutionTime"]),
                solution=properties["Solution"],
                title=properties["DisplayLabel"],
                description=properties["Description"],
                priority=_priority(properties["Urgency"]),
                category=properties["Category"],
                may_be_empty=True,
            )
        case "resolve":
            return messages.Resolution(**named, **said, **solved)
        case "close":
            return messages.Closure(**named, **said, **solved)
        case "reopen":
            return messages.Reopening(**named, **said)
        case "assign":
            return messages.LocalAssignment(**named, **said)
        case "reject":
            return messages.Rejection(**named, **said)
        case _:
            return messages.Cancellation(**named, **said)


def entity_of(data: Any) -> dict[str, Any]:
    """The one entity of a body."""
    given = data.get("entities") if isinstance(data, dict) else None
    # Before they are looked at: a million of them would keep a worker for minutes.
    if isinstance(given, list) and len(given) > 1:
        raise Invalid(
            _("Send one entity a request: so each is done or refused for itself."),
            fields={"entities": [_("There are %(count)d.") % {"count": len(given)}]},
        )
    body = incoming.Body(data=data)
    body.is_valid(raise_exception=True)
    entity: dict[str, Any] = body.validated_data["entities"][0]
    return entity


def operation_of(name: str) -> str:
    """Our name of an operation. Raises `UnknownOperation`."""
    found = incoming.OPERATIONS.get(name.lower())
    if found is None:
        known = ", ".join(known.capitalize() for known in incoming.OPERATIONS)
        raise UnknownOperation(
            _('There is no operation "%(name)s". There are: %(known)s.') % {"name": name, "known": known},
            fields={_path("Operation"): [_("Not known.")]},
        )
    return found


def operation_in(data: Any) -> str:
    """The operation of a body for the log, whatever else is wrong with it; empty: it cannot be told."""
    try:
        return incoming.OPERATIONS.get(str(data["entities"][0]["ext_properties"]["Operation"]).lower(), "")
    except (LookupError, TypeError):
        return ""


def read_again(exchange: Exchange) -> messages.Message:
    """The message of a recorded call. Raises as `message_of` does, and `Malformed` if nothing usable was stored."""
    assert exchange.system is not None  # noqa: S101 - what strangers sent is not replayed
    if exchange.method != "POST" or not exchange.url.partition("?")[0].endswith("/ces"):
        raise Malformed(_("This call is not a message that could be read again."))
    try:
        data = json.loads(exchange.request_body)
    except (ValueError, RecursionError) as error:
        raise Malformed(_("What is stored of this message cannot be read again.")) from error
    return message_of(data, system=exchange.system)


def _new_ticket(properties: dict[str, Any], reference: str, said: dict[str, Any]) -> messages.NewTicket:
    """Without our number a ticket is made, and what it needs must be there."""
    needed = {"ExternalId": reference}
    if not properties["Id"]:
        needed["DisplayLabel"] = properties["DisplayLabel"]
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise Invalid(
            _("A Create needs %(names)s.") % {"names": ", ".join(missing)},
            fields={_path(name): [_("Missing.")] for name in missing},
        )
    return messages.NewTicket(
        external_reference=reference,
        task_number=properties["Id"],
        title=properties["DisplayLabel"],
        description=properties["Description"],
        contact_email=properties["ContactEmail"],
        contact_name=properties["ContactName"],
        priority=_priority(properties["Urgency"]),
        category=properties["Category"],
        **said,
    )


def _needs(*, reference: str, number: str) -> None:
    missing = [name for name, value in {"Id": number, "ExternalId": reference}.items() if not value]
    if missing:
        raise Invalid(
            _("An Acknowledge names both our number (Id) and yours (ExternalId)."),
            fields={_path(name): [_("Missing.")] for name in missing},
        )


def _path(name: str) -> str:
    """Where a property stands in the body."""
    part = "ext_properties" if name in ("ExternalId", "Operation") else "properties"
    return f"entities.0.{part}.{name}"


def _comment(given: dict[str, Any]) -> messages.Comment:
    private = given["PrivacyType"] == "PRIVATE"
    return messages.Comment(
        text=given["Body"],
        created_at=str(given["CreatedTime"]),
        visibility=Visibility.INTERNAL if private else Visibility.PUBLIC,
        author=given["Author"],
    )


def _files(given: list[dict[str, Any]], system: ExternalSystem, named: dict[str, str]) -> tuple[FileContent, ...]:
    """The files that are named, each once. Desks name all files of an incident in every message: what the task has
    already comes without its content, as it is dropped later."""
    ids = {file["id"].lower(): file for file in given}
    known = known_files(system, list(ids))
    if missing := [guid for guid in ids if guid not in known]:
        text = _('There is no file "%(guid)s" for you.') % {"guid": missing[0]}
        raise Invalid(text, fields={_path("IncidentAttachments"): [text]})
    there = attached_to(_ticket(system, named), known.values()) if known else set()
    new = [row for row in known.values() if row.guid not in there]
    if len(new) > MAX_FILES or sum(row.size for row in new) > settings.MAX_REQUEST_BYTES:
        limits = {"files": MAX_FILES, "limit": settings.MAX_REQUEST_BYTES // 1024**2}
        raise Invalid(_("Name at most %(files)d new files and %(limit)d MB of them in one message.") % limits)
    return tuple(
        KnownFile(
            name=known[guid].name or file["file_name"],
            data=b"" if known[guid].guid in there else content_of(known[guid]),
            content_type=known[guid].content_type or file["mime_type"],
            guid=guid,
        )
        for guid, file in ids.items()
    )


def _ticket(system: ExternalSystem, named: dict[str, str]) -> int | None:
    """The id of the ticket that a message is about, whether the desk may see it or not: that is found out later."""
    tasks = Task.objects.filter(number=named["task_number"])
    if not named["task_number"]:
        tasks = Task.objects.filter(
            external_references__system=system, external_references__value=named["external_reference"]
        )
    return tasks.values_list("ticket_id", flat=True).first()


def _priority(urgency: str) -> str:
    """The code of the priority whose rank is nearest to the urgency; of two equally near, the more urgent."""
    if not urgency:
        return ""
    distance = Abs(F("rank") - (URGENCIES.index(urgency) + 1))
    return Priority.objects.order_by(distance, "rank", "pk").values_list("code", flat=True).first() or ""
