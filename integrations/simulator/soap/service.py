"""The desk over SOAP: each message of the contract, and the desk's action behind it."""

from collections.abc import Iterable, Mapping
from typing import Any

from lxml import etree

from integrations.simulator import desk
from integrations.simulator.intake import Work
from integrations.simulator.models import Attachment, Note, Ticket
from integrations.simulator.soap.contract import NAMESPACE, xml_text
from integrations.simulator.soap.envelope import MESSAGES, Request, SoapForm, response
from integrations.simulator.views.api import decoded

OPERATIONS = {f"{{{NAMESPACE}}}{name}": operation for operation, name in MESSAGES.items()}


def perform(operation: str, request: Request, form: SoapForm) -> Work:
    """Do what a checked message asks. Raises `desk.Refused`."""
    values = _values(request.message)
    found: Iterable[Ticket] = ()
    notes: Iterable[Note] = ()
    attachments: Iterable[Attachment] = ()
    ticket: Ticket | None = None
    if operation == "create":
        ticket = desk.create_ticket(
            values, reference_later=values.get("reference_later", "").strip() in ("true", "1")
        )
        found = [ticket]
    elif operation == "find":
        found = desk.find_tickets(caller_reference=values["caller_reference"])
    else:
        ticket = desk.ticket_by_number(values["number"])
        if operation == "note":
            notes = [desk.add_note(ticket, values)]
        elif operation == "attachment":
            attachments = [desk.add_attachment(ticket, values, decoded(values["content"]))]
        elif operation == "get":
            found = [ticket]
            notes, attachments = desk.find_notes(ticket), desk.find_attachments(ticket)
        else:
            found = [_CHANGES[operation](ticket, values)]
    message = response(MESSAGES[operation])
    for kind, rows in (("Ticket", found), ("Note", notes), ("Attachment", attachments)):
        for row in rows:
            _write(message, kind, row.as_json())
    return Work(form.answer(message), ticket)


_CHANGES = {"update": desk.update_ticket, "close": desk.close_ticket, "reopen": desk.reopen_ticket}

# Element names of each type in the schema's order.
_FIELDS = {
    "Ticket": "Id Number CallerReference Title Description Priority State Contact RequestedBy Solution "
    "CompletionCode CreatedAt UpdatedAt",
    "Note": "Id Text Author MessageId Public CreatedAt",
    "Attachment": "Id Name ContentType Size Sha256 MessageId CreatedAt",
    "Contact": "Name Email",
}


def _values(message: etree._Element) -> dict[str, Any]:
    """The message's elements under the desk's names: `CallerReference` is `caller_reference`."""
    values: dict[str, Any] = {}
    for child in message.iterchildren(tag=etree.Element):
        name = etree.QName(child).localname
        values[_snake(name)] = _values(child) if name == "Contact" else child.text or ""
    for name in ("priority", "state"):
        if name in values:
            values[name] = values[name].lower()
    return values


def _write(parent: etree._Element, name: str, values: Mapping[str, Any]) -> None:
    element = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    for field in _FIELDS[name].split():
        value = values[_snake(field)]
        if isinstance(value, Mapping):
            _write(element, field, value)
        elif value is not None:
            etree.SubElement(element, f"{{{NAMESPACE}}}{field}").text = _text(field, value)


def _text(field: str, value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value).capitalize() if field in ("State", "Priority") else xml_text(str(value))


def _snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name).lstrip("_")
