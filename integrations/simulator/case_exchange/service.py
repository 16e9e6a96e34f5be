"""What an entity does to a ticket, whether it was brought to us or fetched from the portal's feed."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from integrations.simulator import desk, faults
from integrations.simulator.case_exchange.entity import Entity, in_their_words
from integrations.simulator.desk import NotFound, Refused
from integrations.simulator.models import Channel, Ticket


@dataclass(frozen=True)
class File:
    """A file that an entity names."""

    guid: str
    name: str
    content_type: str
    content: bytes


def ticket_of(entity: Entity) -> Ticket | None:
    """The ticket that an entity is about: by our number, else by the caller's. Raises `Refused`."""
    if not entity.number:
        return desk.given_before(entity.caller_reference)
    ticket = desk.ticket_by_number(entity.number)
    if entity.caller_reference not in ("", ticket.caller_reference):
        numbers = {"number": ticket.number, "theirs": entity.caller_reference}
        raise Disagrees(_("Our ticket %(number)s is not about %(theirs)s.") % numbers)
    return ticket


def perform(entity: Entity, files: list[File], *, reference_later: bool = False) -> tuple[Ticket, bool]:
    """Do what an entity says, in the caller's transaction: the ticket, and whether it is new. Raises `Refused`."""
    try:
        return _perform(entity, files, reference_later)
    except Refused as problem:
        raise in_their_words(problem) from problem


def _perform(entity: Entity, files: list[File], reference_later: bool) -> tuple[Ticket, bool]:
    ticket = ticket_of(entity)
    gives = entity.operation in ("Create", "Assign")
    if ticket is not None and entity.operation == "Create" and faults.take("ignore_idempotency_keys", "create"):
        ticket = None
    new = ticket is None
    if ticket is None and not gives:
        raise NotFound(_("There is no ticket about %(reference)s.") % {"reference": entity.caller_reference or "?"})
    if ticket is None:
        ticket = _taken(entity, reference_later)
    elif entity.operation != "Create":
        _DO[entity.operation](ticket, entity.values)
    _say(ticket, entity)
    _attach(ticket, files)
    return ticket, new


def _taken(entity: Entity, reference_later: bool) -> Ticket:
    values: dict[str, Any] = {
        **entity.values,
        "contact": {name: entity.values.get(f"contact_{name}") for name in ("name", "email")},
        "caller_reference": entity.caller_reference,
        "requested_by": entity.requested_by,
    }
    ticket = desk.create_ticket(values, reference_later=reference_later)
    ticket.channel = Channel.CASE_EXCHANGE
    ticket.save(update_fields=["channel"])
    return ticket


def _update(ticket: Ticket, values: Mapping[str, Any]) -> None:
    desk.update_ticket(
        ticket, {name: values[name] for name in ("title", "description", "priority") if name in values}
    )
    if solution := values.get("solution"):
        ticket.solution = solution
        ticket.save(update_fields=["solution"])


def _ended(values: Mapping[str, Any], *, code: str = "", reason: str = "") -> dict[str, Any]:
    return {
        "solution": values.get("solution", ""),
        "completion_code": values.get("completion_code", code),
        "reason": reason,
    }


_DO: dict[str, Callable[[Ticket, Mapping[str, Any]], object]] = {
    "Assign": lambda ticket, values: desk.assign_again(ticket),
    "Accept": lambda ticket, values: desk.close_ticket(
        ticket, {"reason": _("The caller took the work back to its own group.")}
    ),
    "Update": _update,
    "Resolve": lambda ticket, values: desk.solve_ticket(ticket, _ended(values)),
    "Reject": lambda ticket, values: desk.close_ticket(ticket, _ended(values, code="CompletionCodeRequestRejected")),
    "Cancel": lambda ticket, values: desk.close_ticket(ticket, _ended(values, code="CompletionCodeWithdrawnByUser")),
    "Reopen": lambda ticket, values: desk.reopen_ticket(ticket, {}),
    "Close": lambda ticket, values: desk.close_ticket(ticket, _ended(values)),
}


def _say(ticket: Ticket, entity: Entity) -> None:
    """Add the comments that are not there yet: the same text of the same time is the same comment."""
    for comment in entity.comments:
        same = ticket.notes.filter(message_id=comment.message_id, text=comment.text)
        if not comment.time or not same.exists():
            values = {"text": comment.text, "author": comment.author, "message_id": comment.message_id}
            desk.add_note(ticket, {**values, "public": comment.public})


def _attach(ticket: Ticket, files: list[File]) -> None:
    """Attach the files that are not there yet: a file that is named twice is one file."""
    for file in files:
        if not ticket.attachments.filter(message_id=file.guid).exists():
            values = {"name": file.name, "content_type": file.content_type, "message_id": file.guid}
            desk.add_attachment(ticket, values, file.content)


class Disagrees(Refused):
    """Two numbers that do not belong together."""

    status = 409
    code = "conflict"
