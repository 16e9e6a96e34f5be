"""From what happened to a ticket to what is exchanged: the table of operations, and the outbox.

`on_event` runs in the transaction of the change; it only inserts process runs, one for each desk concerned.
"""

from dataclasses import dataclass, replace
from typing import Final

from django.utils.translation import gettext as _

from integrations.bindings import binding_of, moved_from
from integrations.definition import current_version
from integrations.engine.streams import append, wake_parked
from integrations.levels import SYNCHRONISED
from integrations.models import Direction, ExternalSystem, GroupBinding, Process, ProcessRun
from integrations.snapshot import current_reference, snapshot
from integrations.visibility import asked_for, binding_for, exchanged_with, goes_to, is_known_there
from tickets.actions import add_remark
from tickets.actors import Actor, ActorKind
from tickets.events import Event, EventName
from tickets.lifecycle import CompletionCode, Phase
from tickets.models import Attachment, Note, Task, Ticket
from tickets.models.catalogue import counts_as

SUBMIT: Final = "Submit Request"
UPDATE: Final = "Update"
REJECTION: Final = "Resolution Rejection"
CLOSED: Final = "Closed"
REASSIGNED: Final = "Reassigned"
ACKNOWLEDGEMENT: Final = "Acknowledgement"


@dataclass(frozen=True)
class Row:
    """One row of the table: what happened, in which phase afterwards, and what follows for the group's desk.

    `fields` are those of which one must have changed, `code` what the completion code must have become, `levels`
    those of the desks that are told; empty: all.
    """

    event: EventName
    phases: tuple[str, ...]
    request_type: str
    binding: str
    operation: str
    fields: tuple[str, ...] = ()
    code: str = ""
    levels: tuple[str, ...] = ()

    def fits(self, event: Event, phase: str) -> bool:
        """Whether this is what happened."""
        if event.name != self.event or phase not in self.phases:
            return False
        if self.code:
            _before, code = event.changes.get("completion_code", ("", ""))
            return bool(code) and counts_as(code) == self.code
        return not self.fields or any(name in event.changes for name in self.fields)


WORKED_ON: Final = (Phase.INITIAL_SUPPORT, Phase.ESCALATE)
ENDED: Final = (Phase.REVIEW, Phase.CLOSE)
SOLVED: Final = ("solution", "completion_code")

# What a desk at these levels is told of the ticket itself: its values are synchronised with ours. Not of a closed
# one, which many desks change no more: should it be opened again, that follows (`_behind`).
FACTS_CHANGED: Final = Row(
    EventName.TICKET_CHANGED,
    (*WORKED_ON, Phase.REVIEW),
    UPDATE,
    "update",
    "update",
    fields=("title", "priority", "category"),
    levels=SYNCHRONISED,
)
# The operations that tell a desk what the ticket says.
TELL_FACTS: Final = ("assign", "update")
# The Case Exchange document's rows with the SSP7 document's request types. The first that fits counts: one action
# gives one operation, so that Cancel and Reject beat Resolve and Close.
TABLE: Final[tuple[Row, ...]] = (
    Row(EventName.SOLUTION_PROPOSED, (Phase.REVIEW,), CLOSED, "closure", "cancel", code=CompletionCode.WITHDRAWN),
    Row(EventName.SOLUTION_PROPOSED, (Phase.REVIEW,), CLOSED, "closure", "reject", code=CompletionCode.REJECTED),
    Row(EventName.TASK_CLOSED, (Phase.CLOSE,), CLOSED, "closure", "cancel", code=CompletionCode.WITHDRAWN),
    Row(EventName.TASK_CLOSED, (Phase.CLOSE,), CLOSED, "closure", "reject", code=CompletionCode.REJECTED),
    Row(EventName.TASK_CHANGED, ENDED, CLOSED, "closure", "cancel", code=CompletionCode.WITHDRAWN),
    Row(EventName.TASK_CHANGED, ENDED, CLOSED, "closure", "reject", code=CompletionCode.REJECTED),
    Row(EventName.TASK_ASSIGNED, WORKED_ON, SUBMIT, "assignment", "assign"),
    Row(EventName.TASK_REOPENED, WORKED_ON, SUBMIT, "assignment", "reopen"),
    Row(EventName.SOLUTION_DECLINED, WORKED_ON, REJECTION, "rejection", "reopen"),
    Row(EventName.TASK_CHANGED, WORKED_ON, UPDATE, "update", "update", fields=("solution", "expected_resolution_at")),
    FACTS_CHANGED,
    Row(EventName.NOTE_ADDED, WORKED_ON, UPDATE, "update", "update"),
    Row(EventName.ATTACHMENT_ADDED, WORKED_ON, UPDATE, "update", "update"),
    Row(EventName.SOLUTION_PROPOSED, (Phase.REVIEW,), UPDATE, "update", "resolve"),
    Row(EventName.TASK_CHANGED, (Phase.REVIEW,), UPDATE, "update", "resolve", fields=SOLVED),
    Row(EventName.NOTE_ADDED, (Phase.REVIEW,), UPDATE, "update", "resolve"),
    Row(EventName.ATTACHMENT_ADDED, (Phase.REVIEW,), UPDATE, "update", "resolve"),
    Row(EventName.SOLUTION_ACCEPTED, (Phase.CLOSE,), CLOSED, "closure", "close"),
    Row(EventName.TASK_CLOSED, (Phase.CLOSE,), CLOSED, "closure", "close"),
    Row(EventName.TASK_CHANGED, (Phase.CLOSE,), CLOSED, "closure", "close", fields=SOLVED),
    Row(EventName.NOTE_ADDED, (Phase.CLOSE,), CLOSED, "closure", "close"),
    Row(EventName.ATTACHMENT_ADDED, (Phase.CLOSE,), CLOSED, "closure", "close"),
)
# To the desk that the task is taken from; beside the row of the desk that gets it.
ACCEPTED: Final = Row(EventName.TASK_ASSIGNED, WORKED_ON, UPDATE, "update", "accept")
# The document's one exception: a new solution gives an update, and then, on entering review, what the table says.
NEW_SOLUTION: Final = Row(EventName.SOLUTION_PROPOSED, (Phase.REVIEW,), UPDATE, "update", "update")
# To the desk that raised the ticket and was told that it is solved: in whatever way the task left review or Closed.
WORKED_ON_AGAIN: Final = Row(EventName.TASK_REOPENED, WORKED_ON, SUBMIT, "assignment", "reopen")

# By what a task comes into each phase.
BECAME: Final[dict[str, EventName]] = {
    **dict.fromkeys(WORKED_ON, EventName.TASK_REOPENED),
    Phase.REVIEW: EventName.SOLUTION_PROPOSED,
    Phase.CLOSE: EventName.TASK_CLOSED,
}
ENDS_A_WAIT: Final = (EventName.TASK_CLOSED, EventName.SOLUTION_PROPOSED, EventName.SOLUTION_ACCEPTED)
MESSAGES: Final = (EventName.NOTE_ADDED, EventName.ATTACHMENT_ADDED)


def rows_for(event: Event, phase: str) -> list[Row]:
    """The rows of the table for this event in this phase: none, one, or an update before a resolve."""
    row = next((row for row in TABLE if row.fits(event, phase)), None)
    if row is None:
        return []
    entered = event.name == EventName.SOLUTION_PROPOSED and event.old_phase in WORKED_ON
    if entered and row.operation == "resolve" and "solution" in event.changes:
        return [NEW_SOLUTION, row]
    return [row]


def on_event(sender: object, event: Event, **_kwargs: object) -> None:
    """The one receiver of `tickets.events.happened`."""
    if event.name in ENDS_A_WAIT:
        wake_parked(event.ticket.pk)
    if event.name in MESSAGES:
        _message(event)
    elif event.name == EventName.TICKET_CHANGED:
        _facts(event)
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


def tell_again(task: Task, system: ExternalSystem, *, status: bool, facts: bool, group: bool = False) -> None:
    """Tell the desk once more what became of the task, which of its groups has it, and what the ticket says, as it is
    to count there; in the caller's transaction."""
    binding = binding_for(task, system)
    if binding is None or not is_known_there(task, system):
        return
    if facts:
        _tell_facts(task, binding)
    if group and task.group == binding.group and task.phase in WORKED_ON:
        kept = Event(name=EventName.TASK_ASSIGNED, actor=Actor.system(), ticket=task.ticket, task=task)
        kept = replace(kept, old_group=task.group, old_phase=task.phase)
        for row in rows_for(kept, task.phase):
            _start(kept, task, binding, row, _process(binding, row))
    if status:
        became = Event(
            name=BECAME[task.phase],
            actor=Actor.system(),
            ticket=task.ticket,
            task=task,
            changes={"completion_code": ("", task.completion_code)},
            text=task.solution,
            old_phase=task.phase,
        )
        for row in rows_for(became, task.phase):
            _start(became, task, binding, row, _process(binding, row))


def _tell_facts(task: Task, binding: GroupBinding) -> None:
    event = Event(name=EventName.TICKET_CHANGED, actor=Actor.system(), ticket=task.ticket, task=task)
    _start(event, task, binding, FACTS_CHANGED, _process(binding, FACTS_CHANGED))


def _facts(event: Event) -> None:
    """What the ticket says concerns every desk that is told of it: those whose values are synchronised with ours."""
    if event.actor.kind == ActorKind.SYSTEM:
        # As with tasks: what a process has set starts no other.
        return
    for task in event.ticket.tasks.select_related("group", "solved_by_group", "assignee"):
        task.ticket = event.ticket
        for row in rows_for(event, task.phase):
            bindings = [binding for binding in _concerned(task, row) if binding.desk.level in row.levels]
            _told(event, task, row, bindings)


def _moved(event: Event, task: Task) -> None:
    """A task was assigned, changed, solved, declined, closed or reopened."""
    if event.name == EventName.TASK_CHANGED and event.actor.kind == ActorKind.SYSTEM:
        # What a process has set is of its own making; it starts no other.
        return
    if event.name == EventName.TASK_ASSIGNED:
        _taken_from(event, task)
    rows = rows_for(event, task.phase)
    behind = _behind(task) if any(row.request_type == SUBMIT for row in rows) else []
    for row in rows:
        if row.request_type in (SUBMIT, REJECTION):
            _given_to(event, task, row)
        else:
            _told(event, task, row, _concerned(task, row))
    if event.old_phase in ENDED and task.phase in WORKED_ON:
        again = next((row for row in rows if row.operation == "reopen"), WORKED_ON_AGAIN)
        _told(event, task, again, _raised(task))
    for binding in behind:
        if is_known_there(task, binding.desk):
            _tell_facts(task, binding)


def _told(event: Event, task: Task, row: Row, bindings: list[GroupBinding]) -> None:
    """These desks learn of it, but for the one that caused it and those that have never heard of the task."""
    for binding in bindings:
        if event.actor.key != binding.desk.actor_key and is_known_there(task, binding.desk):
            _start(event, task, binding, row, _process(binding, row))


def _concerned(task: Task, row: Row) -> list[GroupBinding]:
    """Who learns of it: the desk that has the task or that it came back from, and the one that raised it.

    A desk that merely holds a reference, as the task was taken from it, learns only of the end.
    """
    bindings, group = exchanged_with(task), task.exchanged_group
    theirs = [binding for binding in bindings if binding.group == group]
    if row.request_type == CLOSED and not theirs:
        return bindings
    return theirs + _raised(task)


def _raised(task: Task) -> list[GroupBinding]:
    """The desk that raised the ticket with this task, where others work on it."""
    return [
        binding
        for binding in exchanged_with(task)
        if binding.group != task.exchanged_group and asked_for(task, binding.desk)
    ]


def _given_to(event: Event, task: Task, row: Row) -> None:
    """The integrated group that has the task now starts, or starts again."""
    group = task.exchanged_group
    binding = binding_of(group)
    if binding is None or event.actor.key == binding.desk.actor_key:
        return
    # A solution that was declined concerns the group that it had come from.
    if event.name == EventName.SOLUTION_DECLINED and event.changes.get("solved_by_group", (None,))[0] != group:
        return
    first = not current_reference(task.pk, binding.desk.pk)
    if event.name == EventName.TASK_ASSIGNED and not first and event.old_phase == Phase.REVIEW:
        row = replace(row, operation="reopen")
    if event.name == EventName.TASK_REOPENED and first:
        row = replace(row, operation="assign")
    run = _start(event, task, binding, row, _process(binding, row))
    if run is not None and first and event.name == EventName.TASK_ASSIGNED:
        _send_earlier_files(event, task, binding)


def _behind(task: Task) -> list[GroupBinding]:
    """Whose desks were last told other facts than the ticket has by now, as the task was closed or with others when
    they changed; the levels that are told of facts."""
    found = []
    for binding in _concerned(task, FACTS_CHANGED):
        runs = ProcessRun.objects.filter(stream__task=task, stream__system=binding.desk, direction=Direction.OUT)
        told = runs.filter(operation__in=TELL_FACTS, note=None, attachment=None).order_by("-position").first()
        if told is not None and binding.desk.level in FACTS_CHANGED.levels and _has_changed(task.ticket, told):
            found.append(binding)
    return found


def _has_changed(ticket: Ticket, told: ProcessRun) -> bool:
    """Whether one of the facts is another than that run has told."""
    for name in FACTS_CHANGED.fields:
        now, then = getattr(ticket, name), told.snapshot["ticket"][name]
        if getattr(now, "code", now) != (then["code"] if isinstance(then, dict) else then):
            return True
    return False


def _taken_from(event: Event, task: Task) -> None:
    """The task went from an integrated group to one that is not, or to another desk's: accepted from the old one."""
    old, new = event.old_group, task.group
    if old == new or event.old_phase not in WORKED_ON:
        return
    binding = binding_of(old)
    if binding is None or event.actor.key == binding.desk.actor_key or not is_known_there(task, binding.desk):
        return
    follower = binding_of(new)
    if follower is None or follower.desk != binding.desk:
        _start(event, task, binding, ACCEPTED, _process(binding, ACCEPTED))


def _message(event: Event) -> None:
    """A note or file concerns every desk with which its task, or any task of its ticket, is exchanged."""
    message = event.note if event.name == EventName.NOTE_ADDED else event.attachment
    if message is None:
        return
    for task in event.ticket.tasks.select_related("group", "solved_by_group", "assignee"):
        task.ticket = event.ticket
        for binding in exchanged_with(task):
            if goes_to(message, task, binding) and is_known_there(task, binding.desk):
                for row in rows_for(event, task.phase):
                    _start(event, task, binding, row, _process(binding, row))


def _send_earlier_files(event: Event, task: Task, binding: GroupBinding) -> None:
    """What was attached before the task was given away follows the create, file by file."""
    sent = ProcessRun.objects.filter(
        stream__task=task, stream__system=binding.desk, stream__subscription=None, attachment__isnull=False
    )
    for attachment in event.ticket.attachments.exclude(pk__in=sent.values("attachment")):
        if not goes_to(attachment, task, binding):
            continue
        earlier = Event(
            name=EventName.ATTACHMENT_ADDED,
            actor=event.actor,
            ticket=event.ticket,
            task=task,
            attachment=attachment,
        )
        for row in rows_for(earlier, task.phase):
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
            moved_from=moved_from(event, binding),
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
