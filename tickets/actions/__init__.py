"""The only code that changes a ticket. Each action is one transaction: the row, its history, its event.

Arguments are keyword-only; `actor` says who did it. `expected_version` is the version that the caller has read: a
record that moved on since is not overwritten. What is refused raises a subclass of `tickets.errors.ActionRefused`.
"""

from tickets.actions.attachment import FileContent, attach
from tickets.actions.contact import change_contact, create_contact, delete_contact
from tickets.actions.labels import change_tags, set_properties, set_tags
from tickets.actions.links import link_tickets, unlink_tickets
from tickets.actions.members import add_follower, end_follower, set_assigned_user
from tickets.actions.merge import merge_tickets
from tickets.actions.note import add_note
from tickets.actions.remark import add_remark
from tickets.actions.task import (
    accept_solution,
    assign_task,
    change_task,
    close_task,
    create_task,
    decline_solution,
    escalate_task,
    propose_solution,
    reopen_task,
    resume_task,
    take_back_task,
)
from tickets.actions.ticket import change_ticket, close_ticket, create_ticket, reopen_ticket, set_status
from tickets.actions.ticket_status import release_hold, wake_ticket

__all__ = [
    "FileContent",
    "accept_solution",
    "add_follower",
    "add_note",
    "add_remark",
    "assign_task",
    "attach",
    "change_contact",
    "change_tags",
    "change_task",
    "change_ticket",
    "close_task",
    "close_ticket",
    "create_contact",
    "create_task",
    "create_ticket",
    "decline_solution",
    "delete_contact",
    "end_follower",
    "escalate_task",
    "link_tickets",
    "merge_tickets",
    "propose_solution",
    "release_hold",
    "reopen_task",
    "reopen_ticket",
    "resume_task",
    "set_assigned_user",
    "set_properties",
    "set_status",
    "set_tags",
    "take_back_task",
    "unlink_tickets",
    "wake_ticket",
]
