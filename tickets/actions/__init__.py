"""The only code that changes a ticket. Each action is one transaction: the row, its history, its event.

Arguments are keyword-only; `actor` says who did it. `expected_version` is the version that the caller has read: a
record that moved on since is not overwritten. What is refused raises a subclass of `tickets.errors.ActionRefused`.
"""

from tickets.actions.attachment import FileContent, attach
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
from tickets.actions.ticket import change_ticket, close_ticket, create_ticket, reopen_ticket

__all__ = [
    "FileContent",
    "accept_solution",
    "add_note",
    "add_remark",
    "assign_task",
    "attach",
    "change_task",
    "change_ticket",
    "close_task",
    "close_ticket",
    "create_task",
    "create_ticket",
    "decline_solution",
    "escalate_task",
    "propose_solution",
    "reopen_task",
    "reopen_ticket",
    "resume_task",
    "take_back_task",
]
