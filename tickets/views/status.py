"""What a ticket's contact may do with it now."""

from tickets.lifecycle import TicketStatus
from tickets.models import Ticket

CLOSED_TO_WRITING = (TicketStatus.CLOSED, TicketStatus.MERGED)


def may_write(ticket: Ticket) -> bool:
    """Whether the contact may add information."""
    return ticket.status not in CLOSED_TO_WRITING


def may_close(ticket: Ticket) -> bool:
    """Whether the contact may close the ticket: where the contact's organisation permits it."""
    organisation = ticket.contact.organisation if ticket.contact else None
    return may_write(ticket) and (organisation is None or organisation.contacts_may_close)


def may_reopen(ticket: Ticket) -> bool:
    """Whether the contact may open the ticket again."""
    return ticket.is_closed
