"""The portal's Workflow Service (SOAP 1.1, document/literal wrapped), as its partners know it."""

from typing import Any

import requests
from lxml import etree

from integrations.simulator.models import DeskSettings, OutgoingMessage
from integrations.simulator.soap.contract import xml_text

ENVELOPE = "http://schemas.xmlsoap.org/soap/envelope/"
PATH = "/Workflow/WebService/WorkflowService.asmx"
_METHODS = {
    OutgoingMessage.Kind.ACKNOWLEDGEMENT: "ProcessInstanceTaskExternalAcknowledgement",
    OutgoingMessage.Kind.MESSAGE: "ProcessInstanceTaskExternalUpdateMessage",
    OutgoingMessage.Kind.SOLUTION: "ProcessInstanceTaskExternalReassignment",
    OutgoingMessage.Kind.REJECTION: "ProcessInstanceTaskExternalReassignment",
}


def soap_request(message: OutgoingMessage, settings: DeskSettings) -> requests.PreparedRequest:
    """The message as a SOAP call; elements in the order that the service's contract asks for."""
    method = _METHODS[OutgoingMessage.Kind(message.kind)]
    namespace = settings.soap_namespace
    envelope = etree.Element(f"{{{ENVELOPE}}}Envelope", nsmap={"soap": ENVELOPE})
    body = etree.SubElement(envelope, f"{{{ENVELOPE}}}Body")
    call = etree.SubElement(body, f"{{{namespace}}}{method}", nsmap={"w": namespace})
    for name, value in _elements(message):
        if value:
            etree.SubElement(call, f"{{{namespace}}}{name}").text = xml_text(value)
    if files := message.payload.get("attachments"):
        attachments = etree.SubElement(call, f"{{{namespace}}}attachments")
        for file in files:
            attachment = etree.SubElement(attachments, f"{{{namespace}}}attachment")
            for name, key in (("name", "name"), ("contentType", "content_type"), ("content", "content")):
                etree.SubElement(attachment, f"{{{namespace}}}{name}").text = xml_text(file[key])
    return requests.Request(
        "POST",
        f"{settings.portal_url.rstrip('/')}{PATH}",
        data=etree.tostring(envelope, xml_declaration=True, encoding="utf-8"),
        headers={
            "Content-Type": "text/xml; charset=utf-8",
            "SOAPAction": f'"{namespace}{method}"',
            "Idempotency-Key": message.message_id,
        },
        auth=(settings.system_slug, settings.api_key),
    ).prepare()


def _elements(message: OutgoingMessage) -> list[tuple[str, str]]:
    payload: dict[str, Any] = message.payload
    task = ("taskNumber", message.ticket.caller_reference)
    number = ("externalReference", message.ticket.number or "")
    message_id = ("messageId", message.message_id)
    author = ("author", payload.get("author", ""))
    match message.kind:
        case OutgoingMessage.Kind.ACKNOWLEDGEMENT:
            return [task, ("externalReference", payload["external_reference"]), message_id]
        case OutgoingMessage.Kind.MESSAGE:
            visibility = payload.get("visibility", "").capitalize()
            return [task, number, ("text", payload["text"]), ("visibility", visibility), author, message_id]
        case _:
            return [
                task,
                number,
                ("solution", payload.get("solution", "")),
                ("completionCode", payload.get("completion_code", "")),
                ("status", payload.get("status", "").capitalize()),
                message_id,
                author,
            ]
