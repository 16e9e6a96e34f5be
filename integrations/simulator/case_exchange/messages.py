"""Writing our messages as entities: to bring them to the portal, and to list them in our feed."""

import json
from collections.abc import Mapping
from typing import Any

from integrations.simulator.case_exchange.entity import ENTITY_TYPE
from integrations.simulator.models import FeedEntry, OutgoingMessage

OPERATIONS: Mapping[str, str] = {
    OutgoingMessage.Kind.ACKNOWLEDGEMENT: "Acknowledge",
    OutgoingMessage.Kind.MESSAGE: "Update",
    OutgoingMessage.Kind.SOLUTION: "Resolve",
    OutgoingMessage.Kind.REJECTION: "Reject",
    OutgoingMessage.Kind.ASSIGNMENT: "Assign",
    OutgoingMessage.Kind.REOPENING: "Reopen",
    OutgoingMessage.Kind.CANCELLATION: "Cancel",
    OutgoingMessage.Kind.CLOSING: "Close",
}


def brought(message: OutgoingMessage, user: str) -> dict[str, Any]:
    """The message as we bring it to the portal: its number is the `Id`, ours the `ExternalId`."""
    number = message.payload.get("external_reference") or message.ticket.number
    return _entity(message, Id=message.ticket.caller_reference, ExternalId=number, system=user)


def listed(entry: FeedEntry, user: str) -> dict[str, Any]:
    """The message as our feed lists it: our number is the `Id`, the portal's the `ExternalId`."""
    ticket = entry.message.ticket
    entity = _entity(entry.message, Id=ticket.number or "", ExternalId=ticket.caller_reference, system=user)
    entity["properties"] |= {"DisplayLabel": ticket.title, "LastUpdateTime": entry.listed_at}
    return entity


def _entity(message: OutgoingMessage, *, Id: str, ExternalId: str | None, system: str) -> dict[str, Any]:
    payload = message.payload
    properties: dict[str, Any] = {"Id": Id}
    # What we write with a rejection is our reason, no solution.
    text = payload.get("text", "")
    if message.kind == OutgoingMessage.Kind.REJECTION:
        text = payload.get("solution", "")
    else:
        properties |= {"Solution": payload.get("solution"), "CompletionCode": payload.get("completion_code")}
    if files := payload.get("attachments"):
        properties["IncidentAttachments"] = _named(files)
    entity: dict[str, Any] = {
        "entity_type": ENTITY_TYPE,
        "properties": {name: value for name, value in properties.items() if value},
        "ext_properties": {
            "ExternalSystem": system,
            "Operation": OPERATIONS[message.kind],
            "ExternalId": ExternalId or "",
            "ExternalEntityType": ENTITY_TYPE,
            "ExternalStatus": str(message.ticket.get_state_display()),
        },
    }
    if text:
        entity["Comments"] = [_comment(message, text)]
    return entity


def _comment(message: OutgoingMessage, text: str) -> dict[str, Any]:
    comment = {
        "CreatedTime": round(message.created_at.timestamp() * 1000),
        "IsSystem": False,
        "Body": text,
        "PrivacyType": "PUBLIC" if message.payload.get("visibility", "public") == "public" else "PRIVATE",
    }
    if author := message.payload.get("author"):
        comment["Author"] = author
    return comment


def _named(files: list[dict[str, Any]]) -> str:
    """Files of the receiver's file list, as the property names them: JSON in a text."""
    properties = [
        {"id": file["guid"], "file_name": file["name"], "size": file["size"], "mime_type": file["content_type"]}
        for file in files
    ]
    return json.dumps({"complexTypeProperties": [{"properties": named} for named in properties]})
