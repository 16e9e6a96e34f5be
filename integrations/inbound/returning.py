"""The two operations with which another desk gives a task back without having done it: part of `operations`."""

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.engine.references import drop_reference
from integrations.inbound.messages import Receipt
from integrations.inbound.receiving import (
    CANCELLED,
    REJECTED,
    actor_of,
    follow,
    has_reference,
    is_at_another_desk,
    last_words,
    locked,
    only_told,
    receipt,
    solved_by,
)
from integrations.models import ExternalSystem
from integrations.visibility import binding_for
from tickets import actions
from tickets.lifecycle import CompletionCode, Phase
from tickets.models import Task, Visibility


@transaction.atomic
def reject(
    *, system: ExternalSystem, task: Task, reason: str = "", author: str = "", operation: str = "reject"
) -> Receipt:
    """The reference goes; from the desk's group the task returns to its owner, in initial support, if not closed."""
    task = locked(task)
    concerned = binding_for(task, system)
    if concerned is None or (task.exchanged_group != concerned.group and not has_reference(task, system)):
        return receipt(operation, system, task, _("The task was taken back already."), changed=False)
    if task.phase == Phase.CLOSE and last_words(task, system).startswith(_(REJECTED)):
        return receipt(operation, system, task, _("This was known already."), changed=False)
    actor = actor_of(system, author)
    note = actions.add_note(
        actor=actor,
        ticket=task.ticket,
        task=task,
        body=f"{_(REJECTED)}: {reason.strip()}" if reason.strip() else _(REJECTED),
        # For our people: the contact's task goes on with somebody else.
        visibility=Visibility.INTERNAL,
    )
    # First of all what follows from it: afterwards nothing tells any more that the task was theirs.
    follow(system, task, "reject", author, text=reason, note=note)
    drop_reference(task=task, system=system)
    if is_at_another_desk(task, system):
        return receipt(operation, system, task, _("Your reference was removed."), note=note.pk)
    if task.phase == Phase.REVIEW:
        task = actions.reopen_task(actor=actor, task=task, reason=reason)
    if task.phase != Phase.CLOSE:
        task = actions.resume_task(actor=actor, task=task)
    if task.phase != Phase.CLOSE and task.group == concerned.group:
        task = actions.take_back_task(actor=actor, task=task)
    return receipt(operation, system, task, _("The task was taken back."), note=note.pk)


@transaction.atomic
def cancel(*, system: ExternalSystem, task: Task, author: str = "") -> Receipt:
    """It is no longer wanted: solution and code say so, and the task enters review, in its owning group."""
    task = locked(task)
    solution, code = _(CANCELLED), CompletionCode.ABANDONED
    if (task.solution, task.completion_code) == (solution, code):
        return receipt("cancel", system, task, _("The task was cancelled already."), changed=False)
    if (told := only_told(system, task, solution, author, "cancel")) is not None:
        return told
    task = actions.propose_solution(
        actor=actor_of(system, author),
        task=task,
        solution=solution,
        completion_code=code,
        solved_by=solved_by(task, system),
    )
    follow(system, task, "cancel", author, text=solution)
    return receipt("cancel", system, task, _("The task was cancelled."))
