"""Everything that moves a task: create, assign, solve, accept, decline, close, reopen."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from tickets.actions.record import (
    check_moment,
    checked_title,
    lock_task,
    lock_ticket,
    refuse_merged,
    refuse_shelved,
    set_fields,
    write_history,
)
from tickets.actions.ticket_status import follow_tasks
from tickets.actors import Actor, ActorKind
from tickets.errors import InvalidInput, TransitionRefused
from tickets.events import Event, EventName, publish
from tickets.lifecycle import CompletionCode, Phase, TaskMove, phase_after
from tickets.models import AssignmentGroup, OwnCompletionCode, Task, Ticket
from tickets.panels import is_with_partner

if TYPE_CHECKING:
    from django.contrib.auth.models import User

CHANGEABLE = frozenset({"title", "description", "assignee", "expected_resolution_at", "solution", "completion_code"})


@transaction.atomic
def create_task(
    *,
    actor: Actor,
    ticket: Ticket,
    title: str = "",
    description: str = "",
    group: AssignmentGroup | None = None,
    owning_group: AssignmentGroup | None = None,
) -> Task:
    """A new task, numbered `<ticket number>-<n>`; without a title it takes the ticket's. With a group it is assigned.

    `owning_group` gets the task back when `group` reports it ready.
    """
    ticket = lock_ticket(ticket)
    refuse_merged(ticket)
    refuse_shelved(ticket)
    if ticket.is_closed:
        raise TransitionRefused(_("The ticket is closed: reopen it before adding a task."))
    position = Task.objects.filter(ticket=ticket).count() + 1
    task = Task.objects.create(
        ticket=ticket,
        number=f"{ticket.number}-{position}",
        title=(title.strip() or ticket.title)[:250],
        description=description or ticket.description,
        group=owning_group if owning_group != group else None,
        owning_group=owning_group,
    )
    write_history(actor, EventName.TASK_CREATED, ticket=ticket, task=task)
    publish(Event(name=EventName.TASK_CREATED, actor=actor, ticket=ticket, task=task))
    if group is not None:
        task = assign_task(actor=actor, task=task, group=group)
    return task


@transaction.atomic
def assign_task(
    *,
    actor: Actor,
    task: Task,
    group: AssignmentGroup,
    assignee: "User | None" = None,
    expected_version: int | None = None,
) -> Task:
    """Give the task to a group, perhaps to one of its members. Assigning it again to the same group is an event too.

    A task that comes from review is worked on again; a closed one has to be reopened first.
    """
    task = lock_task(task, expected_version=expected_version)
    _check_member(group, assignee)
    old_group, old_phase = task.group, task.phase
    values: dict[str, Any] = {
        "group": group,
        "assignee": assignee,
        "phase": phase_after(task.phase, TaskMove.ASSIGN),
        "solved_by_group": None,
    }
    if old_group is not None and old_group != group and task.owning_group is None and not is_with_partner(task):
        values["owning_group"] = old_group
    return _moved(actor, task, EventName.TASK_ASSIGNED, values, old_group=old_group, old_phase=old_phase, always=True)


@transaction.atomic
def take_back_task(*, actor: Actor, task: Task) -> Task:
    """The group that has it gives it up: its owning group has it again, or nobody, where nobody had it before."""
    owner = task.owning_group
    if owner is not None:
        return assign_task(actor=actor, task=task, group=owner)
    task = lock_task(task)
    old_group, old_phase = task.group, task.phase
    values = {
        "group": None,
        "assignee": None,
        "phase": phase_after(task.phase, TaskMove.ASSIGN),
        "solved_by_group": None,
    }
    return _moved(actor, task, EventName.TASK_ASSIGNED, values, old_group=old_group, old_phase=old_phase)


@transaction.atomic
def change_task(*, actor: Actor, task: Task, expected_version: int | None = None, **values: Any) -> Task:
    """Change any of `CHANGEABLE`; no change, no event. A completion code needs a task that is solved."""
    unknown = set(values) - CHANGEABLE
    if unknown:
        raise TypeError(f"not editable: {sorted(unknown)}")
    expected = values.get("expected_resolution_at")
    if isinstance(expected, datetime):
        check_moment(expected, _("The expected resolution time needs a time zone."))
    if "title" in values:
        values["title"] = checked_title(values["title"])
    task = lock_task(task, expected_version=expected_version)
    if "completion_code" in values:
        _check_code(values["completion_code"])
        if task.phase not in (Phase.REVIEW, Phase.CLOSE):
            raise TransitionRefused(
                _("A completion code is given with a solution: propose or close the task instead.")
            )
    if "assignee" in values and values["assignee"] != task.assignee:
        _check_member(task.group, values["assignee"])
    return _moved(actor, task, EventName.TASK_CHANGED, values)


@transaction.atomic
def escalate_task(*, actor: Actor, task: Task, expected_version: int | None = None) -> Task:
    """Move the task to the phase Escalate."""
    task = lock_task(task, expected_version=expected_version)
    return _moved(actor, task, EventName.TASK_CHANGED, {"phase": phase_after(task.phase, TaskMove.ESCALATE)})


@transaction.atomic
def propose_solution(
    *,
    actor: Actor,
    task: Task,
    solution: str,
    completion_code: str = CompletionCode.FULFILLED,
    solved_by: AssignmentGroup | None = None,
    expected_version: int | None = None,
) -> Task:
    """Store the solution and enter review. The group that solved it is kept; the owning group has the task again.

    `solved_by` names that group where it is not the one that has the task now.
    """
    if not solution.strip():
        raise InvalidInput(_("Say what the solution is."))
    _check_code(completion_code)
    task = lock_task(task, expected_version=expected_version)
    old_group, old_phase = task.group, task.phase
    theirs = solved_by is not None and solved_by == task.group
    values = {
        "phase": phase_after(task.phase, TaskMove.PROPOSE),
        "solution": solution,
        "completion_code": completion_code,
        "solved_by_group": solved_by or task.exchanged_group,
        # Nobody's, where nobody had it before: the desk that has solved it does not review its own work.
        "group": task.owning_group or (None if theirs and actor.kind == ActorKind.EXTERNAL else task.group),
    }
    return _moved(
        actor, task, EventName.SOLUTION_PROPOSED, values, text=solution, old_group=old_group, old_phase=old_phase
    )


@transaction.atomic
def accept_solution(*, actor: Actor, task: Task, expected_version: int | None = None) -> Task:
    """The solution is good: the task closes, and with the last open task the ticket."""
    task = lock_task(task, expected_version=expected_version)
    old_phase = task.phase
    values = {"phase": phase_after(task.phase, TaskMove.ACCEPT), "closed_at": timezone.now()}
    return _moved(
        actor,
        task,
        EventName.SOLUTION_ACCEPTED,
        values,
        text=task.solution,
        old_group=task.group,
        old_phase=old_phase,
    )


@transaction.atomic
def decline_solution(*, actor: Actor, task: Task, reason: str, expected_version: int | None = None) -> Task:
    """The solution is not good: it is removed and the group that proposed it works on the task again."""
    if not reason.strip():
        raise InvalidInput(_("Say what is still wrong, so that it can be mended."))
    task = lock_task(task, expected_version=expected_version)
    old_group, old_phase = task.group, task.phase
    values = {
        "phase": phase_after(task.phase, TaskMove.DECLINE),
        "solution": "",
        "completion_code": "",
        "group": task.exchanged_group,
        "solved_by_group": None,
    }
    return _moved(
        actor, task, EventName.SOLUTION_DECLINED, values, text=reason, old_group=old_group, old_phase=old_phase
    )


@transaction.atomic
def close_task(
    *,
    actor: Actor,
    task: Task,
    solution: str = "",
    completion_code: str = CompletionCode.FULFILLED,
    expected_version: int | None = None,
) -> Task:
    """Close the task by hand, from any phase. What is not given keeps its value. The last one closes the ticket."""
    _check_code(completion_code)
    task = lock_task(task, expected_version=expected_version)
    old_phase = task.phase
    values = {
        "phase": phase_after(task.phase, TaskMove.CLOSE),
        "solution": solution or task.solution,
        "completion_code": completion_code or task.completion_code,
        "closed_at": timezone.now(),
    }
    return _moved(
        actor,
        task,
        EventName.TASK_CLOSED,
        values,
        text=solution or task.solution,
        old_group=task.group,
        old_phase=old_phase,
    )


@transaction.atomic
def reopen_task(*, actor: Actor, task: Task, reason: str = "", expected_version: int | None = None) -> Task:
    """Work on it again: the solution is removed and the group that it came back from has it. Opens the ticket too."""
    task = lock_task(task, expected_version=expected_version)
    refuse_shelved(task.ticket)
    old_group, old_phase = task.group, task.phase
    values = {
        "phase": phase_after(task.phase, TaskMove.REOPEN),
        "solution": "",
        "completion_code": "",
        "group": task.exchanged_group,
        "solved_by_group": None,
        "closed_at": None,
    }
    return _moved(actor, task, EventName.TASK_REOPENED, values, text=reason, old_group=old_group, old_phase=old_phase)


@transaction.atomic
def resume_task(*, actor: Actor, task: Task, forget_solution: bool = False) -> Task:
    """Whoever it came from works on it: initial support, from wherever it was but closed. No change, no event."""
    task = lock_task(task)
    old_group, old_phase = task.group, task.phase
    values: dict[str, Any] = {
        "phase": phase_after(task.phase, TaskMove.RESUME),
        "group": task.exchanged_group,
        "solved_by_group": None,
    }
    if forget_solution:
        values |= {"solution": "", "completion_code": ""}
    return _moved(actor, task, EventName.TASK_CHANGED, values, old_group=old_group, old_phase=old_phase)


def _moved(
    actor: Actor,
    task: Task,
    name: EventName,
    values: dict[str, Any],
    *,
    text: str = "",
    old_group: AssignmentGroup | None = None,
    old_phase: str = "",
    always: bool = False,
) -> Task:
    """Write the row, the history, the event. `always`: an event even where no field differs."""
    changes = set_fields(task, values)
    if not changes and not always:
        return task
    write_history(actor, name, ticket=task.ticket, task=task, text=text, changes=changes)
    publish(
        Event(
            name=name,
            actor=actor,
            ticket=task.ticket,
            task=task,
            text=text,
            old_group=old_group,
            old_phase=old_phase or task.phase,
            changes=changes,
        )
    )
    if "phase" in changes:
        reason = text if name == EventName.TASK_REOPENED else ""
        follow_tasks(actor=actor, ticket=task.ticket, left=old_phase, reason=reason)
    return task


def _check_member(group: AssignmentGroup | None, assignee: "User | None") -> None:
    if assignee is None:
        return
    if group is None:
        raise InvalidInput(_("Assign the task to a group first: only its members can work on it."))
    if not group.members.filter(pk=assignee.pk).exists():
        raise InvalidInput(
            _("%(person)s is not a member of %(group)s.") % {"person": assignee.get_username(), "group": group}
        )


def _check_code(completion_code: str) -> None:
    known = [*CompletionCode.values, *OwnCompletionCode.objects.values_list("code", flat=True)]
    if completion_code and completion_code not in known:
        raise InvalidInput(
            _('"%(code)s" is not a completion code. Known: %(known)s.')
            % {"code": completion_code, "known": ", ".join(known)}
        )
