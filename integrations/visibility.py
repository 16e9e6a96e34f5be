"""What an external system may see, and which words go to it: one place for both."""

from django.db.models import Exists, OuterRef, Q, QuerySet

from integrations.models import ExternalReference, ExternalSystem, GroupBinding, Stream
from tickets.actors import ActorKind
from tickets.models import Attachment, Note, Task, Visibility


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


def binding_for(task: Task, system: ExternalSystem) -> GroupBinding | None:
    """The binding that serves this task's exchange with the system: its group's, else that of the group it came from,
    else any group of the system (a task that holds its reference but was given to others)."""
    bindings = GroupBinding.objects.filter(integrated=True, system=system).select_related("group", "system")
    for group_id in (task.group_id, task.solved_by_group_id):
        if group_id and (binding := bindings.filter(group_id=group_id).first()):
            return binding
    if task.external_references.filter(system=system).exists():
        return bindings.order_by("pk").first()
    return None


def exchanged_with(task: Task) -> list[GroupBinding]:
    """The bindings, one a system, through which this task is exchanged now."""
    systems = ExternalSystem.objects.filter(
        Q(bindings__integrated=True, bindings__group=task.exchanged_group) | Q(references__task=task)
    ).distinct()
    found = (binding_for(task, system) for system in systems.order_by("pk"))
    return [binding for binding in found if binding is not None]


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
        return binding.send_internal and message.task_id == task.pk and (ours or binding.relay)
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
    return (
        Note.objects.filter(ticket_id=task.ticket_id)
        .filter(Q(runs__stream__task=task, runs__stream__system=system) | Q(task=task, actor_key=system.actor_key))
        .distinct()
    )


def attachments_read_by(task: Task, system: ExternalSystem) -> QuerySet[Attachment]:
    """Files that this desk was sent (or is being sent), and its own."""
    return (
        Attachment.objects.filter(ticket_id=task.ticket_id)
        .filter(Q(runs__stream__task=task, runs__stream__system=system) | Q(task=task, actor_key=system.actor_key))
        .distinct()
    )
