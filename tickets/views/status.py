"""What a ticket's contact may do with it now."""

from tickets.lifecycle import TicketStatus
from tickets.models import Ticket
from tickets.selectors import solution_to_judge

CLOSED_TO_WRITING = (TicketStatus.CLOSED, TicketStatus.MERGED)


def status_kind(ticket: Ticket) -> str:
    """The colour of the status: "check" waits for the person, "closed" for nobody, "open" for the desk."""
    if ticket.status in CLOSED_TO_WRITING:
        return "closed"
    return "check" if solution_to_judge(ticket) else "open"


def may_write(ticket: Ticket) -> bool:
    """Whether the contact may add information, and close the ticket."""
    return ticket.status not in CLOSED_TO_WRITING


def may_reopen(ticket: Ticket) -> bool:
    """Whether the contact may open the ticket again."""
    return ticket.is_closed
