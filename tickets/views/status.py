"""What a person may do with a ticket that they may read: a follower reads and writes, all else is the contact's."""

from typing import TYPE_CHECKING

from tickets.lifecycle import TicketStatus
from tickets.models import Task, Ticket
from tickets.panels import ContactLimits
from tickets.selectors import is_contact, solution_to_judge

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CLOSED_TO_WRITING = (TicketStatus.CLOSED, TicketStatus.MERGED)


def takes_messages(ticket: Ticket) -> bool:
    """Whether information may be added at all: it is neither closed nor merged."""
    return ticket.status not in CLOSED_TO_WRITING


def may_write(ticket: Ticket, limits: ContactLimits) -> bool:
    """Whether the person may add information: who works on the ticket may not take any."""
    return takes_messages(ticket) and not limits.write


def may_close(user: "User", ticket: Ticket, limits: ContactLimits) -> bool:
    """Whether the person may close the ticket: the contact, where their organisation and who works on it allow it."""
    organisation = ticket.contact.organisation if ticket.contact else None
    permitted = organisation is None or organisation.contacts_may_close
    return takes_messages(ticket) and is_contact(user, ticket) and permitted and not limits.close


def may_reopen(user: "User", ticket: Ticket) -> bool:
    """Whether the person may open the ticket again."""
    return ticket.is_closed and is_contact(user, ticket)


def to_judge(user: "User", ticket: Ticket) -> Task | None:
    """The task whose solution the person may accept or decline now."""
    return solution_to_judge(ticket) if is_contact(user, ticket) else None
