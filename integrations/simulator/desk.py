"""What this desk does with tickets, whichever way it is asked: the rules behind REST, SOAP and the pages."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.simulator import faults
from integrations.simulator.forms import AttachmentForm, ClosingForm, NoteForm, TicketChangeForm, TicketForm
from integrations.simulator.models import Attachment, DeskSettings, Note, OutgoingMessage, Ticket, is_searchable


class Refused(Exception):
    """A request that this desk does not accept; `fields` names what is wrong with which field."""

    status = 400
    code = "invalid"

    def __init__(self, message: str, fields: Mapping[str, list[str]] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.fields = dict(fields or {})

    @classmethod
    def because_of(cls, fields: Mapping[str, list[str]]) -> "Refused":
        """A refusal that says what is wrong with each field."""
        return cls(" ".join(f"{name}: {' '.join(errors)}" for name, errors in fields.items()), fields)


class NotFound(Refused):
    """A ticket that does not exist, or whose number callers do not know yet."""

    status = 404
    code = "not_found"


def ticket_by_number(number: str) -> Ticket:
    """The ticket with that number, for callers. Raises `NotFound`."""
    ticket = Ticket.objects.filter(number=number, number_withheld=False).first()
    if ticket is None:
        raise NotFound(_("There is no ticket %(number)s.") % {"number": number})
    return ticket


@transaction.atomic
def create_ticket(data: Mapping[str, Any], *, reference_later: bool = False) -> Ticket:
    """Take a new ticket. With `reference_later` its number is withheld until it is acknowledged."""
    ticket = Ticket(**_checked(TicketForm(_flat(data))), searchable_from=_searchable_from("create"))
    settings = DeskSettings.load()
    ticket.number_withheld = reference_later or settings.reference_later
    if ticket.number_withheld and settings.acknowledge_after is not None:
        ticket.acknowledge_at = timezone.now() + timedelta(seconds=settings.acknowledge_after)
    ticket.save()
    ticket.number = f"PD-{ticket.pk:06d}"
    ticket.save(update_fields=["number"])
    return ticket


def update_ticket(ticket: Ticket, data: Mapping[str, Any]) -> Ticket:
    """Change the given fields (title, description, priority, state) and no others."""
    values = _checked(TicketChangeForm(data))
    for name, value in values.items():
        if name in data and data[name] not in (None, ""):
            setattr(ticket, name, value)
    ticket.save()
    return ticket


def add_note(ticket: Ticket, data: Mapping[str, Any]) -> Note:
    """Add a note; public unless `public` is false."""
    values = _checked(NoteForm({**data, "public": data.get("public", True)}))
    note = Note.objects.create(ticket=ticket, **values, searchable_from=_searchable_from("note"))
    _opened_by_activity(ticket)
    return note


def add_attachment(ticket: Ticket, data: Mapping[str, Any], content: bytes) -> Attachment:
    """Add a file."""
    values = _checked(AttachmentForm(data))
    values["content_type"] = values["content_type"] or "application/octet-stream"
    attachment = Attachment.objects.create(
        ticket=ticket, **values, content=content, searchable_from=_searchable_from("attachment")
    )
    _opened_by_activity(ticket)
    return attachment


def close_ticket(ticket: Ticket, data: Mapping[str, Any]) -> Ticket:
    """Close; the reason becomes a note, solution and completion code are kept when given."""
    return _end_ticket(ticket, Ticket.State.CLOSED, data)


def solve_ticket(ticket: Ticket, data: Mapping[str, Any]) -> Ticket:
    """Mark as solved, as `close_ticket` closes."""
    return _end_ticket(ticket, Ticket.State.SOLVED, data)


def reopen_ticket(ticket: Ticket, data: Mapping[str, Any]) -> Ticket:
    """Open again, without solution; the reason becomes a note."""
    values = _checked(ClosingForm(data))
    ticket.state, ticket.solution, ticket.completion_code = Ticket.State.OPEN, "", ""
    ticket.save()
    _reason(ticket, values["reason"])
    return ticket


def assign_again(ticket: Ticket) -> Ticket:
    """The caller gives us a ticket that we have: it is worked on, whatever came of it before."""
    if ticket.state in (Ticket.State.SOLVED, Ticket.State.CLOSED):
        return reopen_ticket(ticket, {})
    return ticket


def given_before(caller_reference: str) -> Ticket | None:
    """The ticket that the caller gave us under its reference, unless we rejected it; the last one of several."""
    rejected = OutgoingMessage.objects.filter(
        kind=OutgoingMessage.Kind.REJECTION, state=OutgoingMessage.State.SENT
    ).values("ticket")
    known = Ticket.objects.filter(caller_reference=caller_reference) if caller_reference else Ticket.objects.none()
    return known.exclude(pk__in=rejected).order_by("-id").first()


def find_tickets(*, caller_reference: str | None, modified_since: datetime | None = None) -> list[Ticket]:
    """Tickets with that reference of the caller (all without), oldest first, as far as search shows them; with
    `modified_since` those that were changed at that time or later, in the order of their changes."""
    found = Ticket.objects.filter(is_searchable(timezone.now())).order_by("id")
    if modified_since is not None:
        found = found.filter(updated_at__gte=modified_since, number_withheld=False).order_by("updated_at", "id")
    return list(found if caller_reference is None else found.filter(caller_reference=caller_reference))


def find_notes(ticket: Ticket, *, message_id: str | None = None) -> list[Note]:
    """Notes of the ticket, oldest first, as far as search shows them."""
    found = ticket.notes.filter(is_searchable(timezone.now()))
    return list(found if message_id is None else found.filter(message_id=message_id))


def find_attachments(ticket: Ticket, *, message_id: str | None = None) -> list[Attachment]:
    """Attachments of the ticket, oldest first, as far as search shows them."""
    found = ticket.attachments.filter(is_searchable(timezone.now())).defer("content")
    return list(found if message_id is None else found.filter(message_id=message_id))


def _end_ticket(ticket: Ticket, state: Ticket.State, data: Mapping[str, Any]) -> Ticket:
    values = _checked(ClosingForm(data))
    ticket.state = state
    ticket.solution = values["solution"] or ticket.solution
    ticket.completion_code = values["completion_code"] or ticket.completion_code
    ticket.save()
    _reason(ticket, values["reason"])
    return ticket


def _searchable_from(operation: str) -> datetime:
    fault = faults.take("search_delay", operation)
    return timezone.now() + timedelta(seconds=fault.seconds if fault else 0)


def _opened_by_activity(ticket: Ticket) -> None:
    if ticket.state == Ticket.State.NEW:
        ticket.state = Ticket.State.OPEN
    ticket.save()


def _reason(ticket: Ticket, reason: str) -> None:
    if reason:
        Note.objects.create(ticket=ticket, text=reason)


def _flat(data: Mapping[str, Any]) -> dict[str, Any]:
    contact = data.get("contact") or {}
    if not isinstance(contact, Mapping):
        raise Refused(_("contact is an object with name and email."), {"contact": [_("Not an object.")]})
    return {**data, "contact_name": contact.get("name"), "contact_email": contact.get("email")}


def _checked(form: Any) -> dict[str, Any]:
    if not form.is_valid():
        raise Refused.because_of({name: [str(error) for error in errors] for name, errors in form.errors.items()})
    return form.cleaned_data
