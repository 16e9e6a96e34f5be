"""The portal's REST interface, as its partners know it."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

import requests

from integrations.simulator.models import DeskSettings, OutgoingMessage

Kind = OutgoingMessage.Kind
# The end of the address, and the fields of the message by their name there.
_SOLVED = {"solution": "solution", "completion_code": "completion_code", "author": "author"}
_MESSAGES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    Kind.ACKNOWLEDGEMENT: ("acknowledge", {"external_reference": "external_reference"}),
    Kind.MESSAGE: ("updates", {name: name for name in ("text", "visibility", "author", "attachments")}),
    Kind.SOLUTION: ("reassign", {**_SOLVED, "status": "status"}),
    Kind.REJECTION: ("reassign", {**_SOLVED, "status": "status"}),
    Kind.ASSIGNMENT: ("operations", {}),
    Kind.REOPENING: ("operations", {"reason": "text", "author": "author"}),
    Kind.CANCELLATION: ("operations", {}),
    Kind.CLOSING: ("operations", _SOLVED),
}
_OPERATIONS = {
    Kind.ASSIGNMENT: "assign",
    Kind.REOPENING: "reopen",
    Kind.CANCELLATION: "cancel",
    Kind.CLOSING: "close",
}


def rest_request(message: OutgoingMessage, settings: DeskSettings) -> requests.PreparedRequest:
    """The message as a REST call."""
    ending, fields = _MESSAGES[message.kind]
    task = quote(message.ticket.caller_reference, safe="")
    body: dict[str, Any] = {name: message.payload[ours] for name, ours in fields.items() if ours in message.payload}
    if message.kind in _OPERATIONS:
        body["operation"] = _OPERATIONS[Kind(message.kind)]
    return requests.Request(
        "POST",
        f"{settings.portal_url.rstrip('/')}/api/v1/tasks/{task}/{ending}/",
        json={**body, "message_id": message.message_id},
        headers={"Authorization": f"Api-Key {settings.api_key}", "Idempotency-Key": message.message_id},
    ).prepare()
