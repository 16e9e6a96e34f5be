"""The portal's REST interface, as its partners know it."""

from typing import Any
from urllib.parse import quote

import requests

from integrations.simulator.models import DeskSettings, OutgoingMessage

_ENDINGS = {
    OutgoingMessage.Kind.ACKNOWLEDGEMENT: "acknowledge",
    OutgoingMessage.Kind.MESSAGE: "updates",
    OutgoingMessage.Kind.SOLUTION: "reassign",
    OutgoingMessage.Kind.REJECTION: "reassign",
}
_FIELDS = {
    "acknowledge": ("external_reference",),
    "updates": ("text", "visibility", "author", "attachments"),
    "reassign": ("solution", "completion_code", "status", "author"),
}


def rest_request(message: OutgoingMessage, settings: DeskSettings) -> requests.PreparedRequest:
    """The message as a REST call."""
    ending = _ENDINGS[OutgoingMessage.Kind(message.kind)]
    task = quote(message.ticket.caller_reference, safe="")
    body: dict[str, Any] = {name: message.payload[name] for name in _FIELDS[ending] if name in message.payload}
    return requests.Request(
        "POST",
        f"{settings.portal_url.rstrip('/')}/api/v1/tasks/{task}/{ending}/",
        json={**body, "message_id": message.message_id},
        headers={"Authorization": f"Api-Key {settings.api_key}", "Idempotency-Key": message.message_id},
    ).prepare()
