"""What an external system may see, and which words go to it: one place for both."""

import json
from collections.abc import Collection
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Left, StrIndex

from integrations.models import (
    ExternalReference,
    ExternalSystem,
    GroupBinding,
    ProcessRun,
    RunState,
    StepKind,
    Stream,
)
from tickets.actors import ActorKind
from tickets.events import EventName
from tickets.lifecycle import TicketStatus
from tickets.models import Attachment, History, Note, Task, Ticket, Visibility


def tasks_visible_to(system: ExternalSystem) -> QuerySet[Task]:
    """Tasks of a group of this system, or holding its reference: so a solved task is still theirs to update.

    Messages overtake each other: a task that came back from this system, or whose create it has accepted, is theirs
    before the acknowledgement has come, which could not arrive otherwise.
    """
    return Task.objects.filter(
        Q(group__binding__integrated=True, group__binding__system=system)
        | Q(solved_by_group__binding__integrated=True, solved_by_group__binding__system=system)
        | Exists(ExternalReference.objects.filter(task=OuterRef("pk"), system=system))
        | Exists(Stream.objects.filter(task=OuterRef("pk"), system=system, awaiting_since__isnull=False))
    )


def tickets_visible_to(system: ExternalSystem) -> QuerySet[Ticket]:
    """Tickets of these tasks, and merged ones from which such a task has come: its number still names that ticket."""
    tasks = tasks_visible_to(system)
    numbers = tasks.annotate(first_ticket=Left("number", StrIndex("number", Value("-")) - 1)).values("first_ticket")
    return Ticket.objects.filter(
        Exists(tasks.filter(ticket=OuterRef("pk"))) | Q(status=TicketStatus.MERGED, number__in=numbers)
    )


def binding_for(task: Task, system: ExternalSystem) -> GroupBinding | None:
    """The binding that serves this task's exchange with the system.

    That of the group that its events concern, else its group's, else that of the group it came from. For a task that
    holds the system's reference but was given to others: that of the group through which it was exchanged last; for
    one that the desk raised itself: the desk's first group.
    """
    bindings = GroupBinding.objects.filter(integrated=True, system=system).select_related("group", "system")
    found = {binding.group_id: binding for binding in bindings.order_by("pk")}
    concerned = task.exchanged_group
    for group_id in (concerned.pk if concerned else None, task.group_id, task.solved_by_group_id):
        if group_id in found:
            return found[group_id]
    if not found or not task.external_references.filter(system=system).exists():
        return None
    last = ProcessRun.objects.filter(stream__task=task, stream__system=system).order_by("-pk").first()
    if last is not None:
        return found.get(last.group_id)
    return next(iter(found.values()))


def raised_by(system: ExternalSystem, ticket: Ticket) -> bool:
    """Whether this desk has raised the ticket with us: then what it says is theirs to change."""
    return History.objects.filter(ticket=ticket, event=EventName.TICKET_CREATED, actor_key=system.actor_key).exists()


def asked_for(task: Task, system: ExternalSystem) -> bool:
    """Whether the task is what this desk has asked us to do: also after its ticket was merged into another's."""
    return History.objects.filter(task=task, event=EventName.TASK_CREATED, actor_key=system.actor_key).exists()


def exchanged_with(task: Task) -> list[GroupBinding]:
    """The bindings, one a system, through which this task is exchanged now."""
    systems = ExternalSystem.objects.filter(
        Q(bindings__integrated=True, bindings__group=task.exchanged_group) | Q(references__task=task)
    ).distinct()
    found = (binding_for(task, system) for system in systems.order_by("pk"))
    return [binding for binding in found if binding is not None]


def is_known_there(task: Task, system: ExternalSystem) -> bool:
    """Whether the task was given to the desk, or is about to be: what is written on it can be sent after that.

    False when its only assignment was cancelled or skipped: the desk has never heard of the task.
    """
    if task.external_references.filter(system=system).exists():
        return True
    given = ProcessRun.objects.filter(stream__task=task, stream__system=system, operation__in=("assign", "reopen"))
    return given.exclude(state__in=(RunState.CANCELLED, RunState.SKIPPED)).exists()


def goes_to(message: Note | Attachment, task: Task, binding: GroupBinding) -> bool:
    """Whether a note or file goes to the desk of `binding`, with which `task` is exchanged.

    Internal ones never leave unless the administrator says so. Public words on the ticket by end users and agents go
    to every exchanged task. Words on a task, and what another desk wrote, go nowhere else unless relay is on.
    A message never goes back to the desk that wrote it; what the portal itself notes down goes nowhere.
    """
    if message.actor_key == binding.desk.actor_key or message.actor_kind == ActorKind.SYSTEM:
        return False
    if message.visibility == Visibility.INTERNAL:
        ours = message.actor_kind != ActorKind.EXTERNAL
        # The switch is the group's own: it says nothing of a task that another group has by now.
        theirs = message.task_id == task.pk and task.exchanged_group == binding.group
        return binding.send_internal and theirs and (ours or binding.relay)
    if message.task_id == task.pk:
        return message.actor_kind != ActorKind.EXTERNAL or binding.relay
    if message.task_id is None and message.actor_kind != ActorKind.EXTERNAL:
        return True
    return binding.relay


def notes_a_desk_may_read(task: Task, system: ExternalSystem) -> QuerySet[Note]:
    """Public notes that would go to this desk if they were written now, and its own: what a create may tell."""
    notes = Note.objects.filter(ticket_id=task.ticket_id, visibility=Visibility.PUBLIC).exclude(
        actor_kind=ActorKind.SYSTEM
    )
    binding = binding_for(task, system)
    if binding is not None and binding.relay:
        return notes
    return notes.filter(
        Q(task=None) & ~Q(actor_kind=ActorKind.EXTERNAL)
        | Q(task=task) & ~Q(actor_kind=ActorKind.EXTERNAL)
        | Q(actor_key=system.actor_key)
    )


def notes_read_by(task: Task, system: ExternalSystem) -> QuerySet[Note]:
    """What this desk reads of a task: exactly what it was sent (or is being sent), and what it wrote itself."""
    return notes_read_of([task], system)


def notes_read_of(tasks: Collection[Task], system: ExternalSystem) -> QuerySet[Note]:
    """As `notes_read_by`, of several tasks in as many queries as of one.

    Sent are the notes that have a run of their own, and those that a create took along.
    """
    creates = (
        ProcessRun.objects.filter(stream__task__in=tasks, stream__system=system, operation="assign")
        .exclude(state__in=(RunState.CANCELLED, RunState.SKIPPED))
        .select_related("version", "stream")
        .order_by("-pk")
    )
    # The first of each task.
    first = {create.stream.task_id: create for create in creates}
    taken_along = [
        note["id"]
        for create in first.values()
        if _takes_notes_along(create.version.definition)
        for note in create.snapshot["ticket"]["notes"]
    ]
    return (
        Note.objects.filter(ticket_id__in={task.ticket_id for task in tasks})
        .filter(
            Q(runs__stream__task__in=tasks, runs__stream__system=system)
            | Q(task__in=tasks, actor_key=system.actor_key)
            | Q(pk__in=taken_along)
        )
        .distinct()
    )


def _takes_notes_along(definition: dict[str, Any]) -> bool:
    """Whether what is sent for an assignment holds the notes so far. What is published always does."""
    return "ticket.notes" in json.dumps(definition) or any(
        step["kind"] == StepKind.FEED for step in definition["steps"]
    )


def attachments_read_by(task: Task, system: ExternalSystem) -> QuerySet[Attachment]:
    """Files that this desk was sent (or is being sent), and its own."""
    return attachments_read_of([task], system)


def attachments_read_of(tasks: Collection[Task], system: ExternalSystem) -> QuerySet[Attachment]:
    """As `attachments_read_by`, of several tasks."""
    return (
        Attachment.objects.filter(ticket_id__in={task.ticket_id for task in tasks})
        .filter(
            Q(runs__stream__task__in=tasks, runs__stream__system=system)
            | Q(task__in=tasks, actor_key=system.actor_key)
        )
        .distinct()
    )
