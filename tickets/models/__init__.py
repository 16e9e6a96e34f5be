"""The desk's records. Only `tickets.actions` writes tickets, tasks, notes, attachments and history."""

from tickets.models.catalogue import Category, OwnCompletionCode, OwnStatus, Priority, Queue, Tag
from tickets.models.conversation import Attachment, Note, Visibility
from tickets.models.groups import AssignmentGroup
from tickets.models.history import History
from tickets.models.links import Link, LinkKind
from tickets.models.members import Member, MemberRole
from tickets.models.people import Contact, Organisation
from tickets.models.properties import PropertyDefinition, PropertyKind, PropertyValue
from tickets.models.submission import Submission
from tickets.models.task import Task
from tickets.models.ticket import ListingClock, Ticket, TicketCounter

__all__ = [
    "AssignmentGroup",
    "Attachment",
    "Category",
    "Contact",
    "History",
    "Link",
    "LinkKind",
    "ListingClock",
    "Member",
    "MemberRole",
    "Note",
    "Organisation",
    "OwnCompletionCode",
    "OwnStatus",
    "Priority",
    "PropertyDefinition",
    "PropertyKind",
    "PropertyValue",
    "Queue",
    "Submission",
    "Tag",
    "Task",
    "Ticket",
    "TicketCounter",
    "Visibility",
]
