"""What happened to a ticket, and the one signal on which it is told.

The signal is sent in the transaction of the change, with `send`: a receiver that fails undoes the change, so that a
change without its outbox entry cannot be committed.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from django.dispatch import Signal

from tickets.actors import Actor
from tickets.models import AssignmentGroup, Attachment, Note, Task, Ticket


class EventName(StrEnum):
    """Every event that an action publishes."""

    TICKET_CREATED = "ticket_created"
    TICKET_CHANGED = "ticket_changed"
    TICKET_CLOSED = "ticket_closed"
    TICKET_REOPENED = "ticket_reopened"
    STATUS_CHANGED = "status_changed"
    MEMBERS_CHANGED = "members_changed"
    LINKS_CHANGED = "links_changed"
    TAGS_CHANGED = "tags_changed"
    PROPERTIES_CHANGED = "properties_changed"
    TICKET_MERGED = "ticket_merged"
    TASK_CREATED = "task_created"
    TASK_ASSIGNED = "task_assigned"
    TASK_CHANGED = "task_changed"
    TASK_CLOSED = "task_closed"
    TASK_REOPENED = "task_reopened"
    NOTE_ADDED = "note_added"
    ATTACHMENT_ADDED = "attachment_added"
    SOLUTION_PROPOSED = "solution_proposed"
    SOLUTION_ACCEPTED = "solution_accepted"
    SOLUTION_DECLINED = "solution_declined"


@dataclass(frozen=True)
class Event:
    """One thing that happened. Lives for the length of one transaction and is never stored as such.

    `changes` maps a field's name to its value before and after. `old_group` and `old_phase` are the task's before
    the change. `text` is what a person said with it: a note's body, why a solution was declined.
    """

    name: EventName
    actor: Actor
    ticket: Ticket
    task: Task | None = None
    note: Note | None = None
    attachment: Attachment | None = None
    text: str = ""
    old_group: AssignmentGroup | None = None
    old_phase: str = ""
    changes: dict[str, tuple[Any, Any]] = field(default_factory=dict)


happened = Signal()


def publish(event: Event) -> None:
    """Tell the receivers, inside the caller's transaction."""
    happened.send(sender=Event, event=event)
