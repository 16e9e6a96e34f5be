"""The desk's records. Only `tickets.actions` writes tickets, tasks, notes, attachments and history."""

from tickets.models.catalogue import Category, Priority, Queue
from tickets.models.conversation import Attachment, Note, Visibility
from tickets.models.groups import AssignmentGroup
from tickets.models.history import History
from tickets.models.people import Contact, Organisation
from tickets.models.submission import Submission
from tickets.models.task import Task
from tickets.models.ticket import Ticket, TicketCounter

__all__ = [
    "AssignmentGroup",
    "Attachment",
    "Category",
    "Contact",
    "History",
    "Note",
    "Organisation",
    "Priority",
    "Queue",
    "Submission",
    "Task",
    "Ticket",
    "TicketCounter",
    "Visibility",
]
