"""From what happened to a ticket to what is exchanged: the table of operations, and the outbox.

`on_event` runs in the transaction of the change; it only inserts process runs, one for each desk concerned.
"""

from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext as _

from integrations.definition import current_version
from integrations.engine.streams import append, wake_parked
from integrations.models import Direction, ExternalSystem, GroupBinding, Process, ProcessRun
from integrations.snapshot import current_reference, snapshot
from integrations.visibility import binding_for, exchanged_with, goes_to, is_known_there
from tickets.actions import add_remark
from tickets.actors import Actor
from tickets.events import Event, EventName
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup, Attachment, Note, Task

SUBMIT: Final = "Submit Request"
UPDATE: Final = "Update"
REJECTION: Final = "Resolution Rejection"
CLOSED: Final = "Closed"
REASSIGNED: Final = "Reassigned"
ACKNOWLEDGEMENT: Final = "Acknowledgement"


@dataclass(frozen=True)
class Row:
    """One row of the table: what happened, in which phase afterwards, and what follows for the group's desk."""

    event: EventName
    phases: tuple[str, ...]
    request_type: str
    binding: str
    operation: str


WORKED_ON: Final = (Phase.INITIAL_SUPPORT, Phase.ESCALATE)

# The rows that the SSP7 document knows. The first that fits counts: one action gives one operation.
TABLE: Final[tuple[Row, ...]] = (
    Row(EventName.TASK_ASSIGNED, WORKED_ON, SUBMIT, "assignment", "assign"),
    Row(EventName.TASK_REOPENED, WORKED_ON, SUBMIT, "assignment", "reopen"),
    Row(EventName.SOLUTION_DECLINED, WORKED_ON, REJECTION, "rejection", "reopen"),
    Row(EventName.NOTE_ADDED, WORKED_ON, UPDATE, "update", "update"),
    Row(EventName.ATTACHMENT_ADDED, WORKED_ON, UPDATE, "update", "update"),
    Row(EventName.NOTE_ADDED, (Phase.REVIEW,), UPDATE, "update", "resolve"),
    Row(EventName.ATTACHMENT_ADDED, (Phase.REVIEW,), UPDATE, "update", "resolve"),
    Row(EventName.NOTE_ADDED, (Phase.CLOSE,), CLOSED, "closure", "close"),
    Row(EventName.ATTACHMENT_ADDED, (Phase.CLOSE,), CLOSED, "closure", "close"),
    Row(EventName.SOLUTION_ACCEPTED, (Phase.CLOSE,), CLOSED, "closure", "close"),
    Row(EventName.TASK_CLOSED, (Phase.CLOSE,), CLOSED, "closure", "close"),
)

ENDS_A_WAIT: Final = (EventName.TASK_CLOSED, EventName.SOLUTION_ACCEPTED)
MESSAGES: Final = (EventName.NOTE_ADDED, EventName.ATTACHMENT_ADDED)


def row_for(event: EventName, phase: str) -> Row | None:
    """The row of the table for this event in this phase."""
    return next((row for row in TABLE if row.event == event and phase in row.phases), None)


def on_event(sender: object, event: Event, **_kwargs: object) -> None:
    """The one receiver of `tickets.events.happened`."""
    if event.name in ENDS_A_WAIT:
        wake_parked(event.ticket.pk)
    if event.name in MESSAGES:
        _message(event)
    elif event.task is not None:
        _moved(event, event.task)


def received(
    *,
    system: ExternalSystem,
    task: Task,
    operation: str,
    request_type: str,
    actor: Actor,
    text: str = "",
    note: Note | None = None,
    attachment: Attachment | None = None,
) -> ProcessRun | None:
    """Start the group's incoming process for what another desk sent, if one is bound; in the caller's transaction."""
    binding = binding_for(task, system)
    if binding is None or binding.incoming_process is None:
        return None
    event = Event(
        name=EventName.TASK_CHANGED,
        actor=actor,
        ticket=task.ticket,
        task=task,
        note=note,
        attachment=attachment,
        text=text,
    )
    row = Row(EventName.TASK_CHANGED, (), request_type, "incoming", operation)
    return _start(event, task, binding, row, binding.incoming_process, direction=Direction.IN)


def _moved(event: Event, task: Task) -> None:
    """A task was assigned, reopened, declined or closed: it concerns the desk of one group.

    A task that another desk has raised with us is in no group of theirs: they learn of its end by the reference.
    """
    row = row_for(event.name, task.phase)
    if row is None:
        return
    group = task.exchanged_group
    binding = _binding_of(group) if group is not None else None
    if group is not None and binding is not None:
        _move(event, task, group, binding, row)
    elif row.request_type == CLOSED:
        for counterpart in exchanged_with(task):
            if event.actor.key != counterpart.desk.actor_key:
                _start(event, task, counterpart, row, _process(counterpart, row))


def _move(event: Event, task: Task, group: AssignmentGroup, binding: GroupBinding, row: Row) -> None:
    if event.actor.key == binding.desk.actor_key:
        return
    if event.name == EventName.SOLUTION_DECLINED and not _came_from(event, group):
        return
    first = not current_reference(task.pk, binding.desk.pk)
    if event.name == EventName.TASK_ASSIGNED and not first and event.old_phase == Phase.REVIEW:
        row = Row(row.event, row.phases, row.request_type, row.binding, "reopen")
    run = _start(event, task, binding, row, _process(binding, row))
    if run is not None and first and event.name == EventName.TASK_ASSIGNED:
        _send_earlier_files(event, task, binding)


def _message(event: Event) -> None:
    """A note or file concerns every desk with which its task, or any task of its ticket, is exchanged."""
    message = event.note if event.name == EventName.NOTE_ADDED else event.attachment
    if message is None:
        return
    for task in event.ticket.tasks.select_related("group", "solved_by_group", "assignee"):
        task.ticket = event.ticket
        for binding in exchanged_with(task):
            row = row_for(event.name, task.phase)
            if row is not None and goes_to(message, task, binding) and is_known_there(task, binding.desk):
                _start(event, task, binding, row, _process(binding, row))


def _send_earlier_files(event: Event, task: Task, binding: GroupBinding) -> None:
    """What was attached before the task was given away follows the create, file by file."""
    row = row_for(EventName.ATTACHMENT_ADDED, task.phase)
    if row is None:
        return
    sent = ProcessRun.objects.filter(stream__task=task, stream__system=binding.desk, attachment__isnull=False)
    for attachment in event.ticket.attachments.exclude(pk__in=sent.values("attachment")):
        if goes_to(attachment, task, binding):
            earlier = Event(
                name=EventName.ATTACHMENT_ADDED,
                actor=event.actor,
                ticket=event.ticket,
                task=task,
                attachment=attachment,
            )
            _start(earlier, task, binding, row, _process(binding, row))


def _start(
    event: Event,
    task: Task,
    binding: GroupBinding,
    row: Row,
    process: Process | None,
    *,
    direction: str = Direction.OUT,
) -> ProcessRun | None:
    if process is None:
        add_remark(
            actor=Actor.system(),
            ticket=event.ticket,
            task=task,
            text=_("%(group)s is integrated, but no process is bound for this: %(request_type)s.")
            % {"group": binding.group, "request_type": row.request_type},
        )
        return None
    note = event.note if event.attachment is None else None
    return append(
        task=task,
        system=binding.desk,
        version=current_version(process),
        group=binding.group,
        operation=row.operation,
        request_type=row.request_type,
        direction=direction,
        snapshot=snapshot(
            task=task,
            system=binding.desk,
            request_type=row.request_type,
            direction=direction,
            operation=row.operation,
            actor=event.actor,
            text=event.text,
            note=note,
            attachment=event.attachment,
        ),
        note=note,
        attachment=event.attachment,
    )


def _process(binding: GroupBinding, row: Row) -> Process | None:
    if row.binding == "rejection":
        return binding.rejection_process or binding.update_process
    process: Process | None = getattr(binding, f"{row.binding}_process")
    return process


def _binding_of(group: AssignmentGroup) -> GroupBinding | None:
    return GroupBinding.objects.filter(group=group, integrated=True).select_related("group", "system").first()


def _came_from(event: Event, group: AssignmentGroup) -> bool:
    """Whether the solution that was declined had come from this group."""
    before, _after = event.changes.get("solved_by_group", (None, None))
    return bool(before == group)
