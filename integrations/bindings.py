"""The integrated group of a task, and whether it goes from one group of a desk to another."""

from integrations.models import GroupBinding
from integrations.visibility import is_known_there
from tickets.events import Event, EventName
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup


def binding_of(group: AssignmentGroup | None) -> GroupBinding | None:
    """The binding of a group whose tasks are exchanged."""
    if group is None:
        return None
    return GroupBinding.objects.filter(group=group, integrated=True).select_related("group", "system").first()


def moved_from(event: Event, binding: GroupBinding) -> str:
    """The group of this binding's desk that had the task until now, by its code, where the desk goes on working on
    it: nothing is to be begun again over there. "" where it gets the task, whether for the first time or again.

    It is the group itself where only who has the task within it has changed.
    """
    if event.name != EventName.TASK_ASSIGNED or event.old_phase not in (Phase.INITIAL_SUPPORT, Phase.ESCALATE):
        return ""
    before = binding_of(event.old_group)
    if before is None or before.desk != binding.desk or event.task is None or event.task.group != binding.group:
        return ""
    return before.group.code if is_known_there(event.task, binding.desk) else ""
