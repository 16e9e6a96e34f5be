"""The only place where an incoming operation acts. Every dialect ends here, at the same actions as people.

Each function is one transaction with the external system as the actor, and returns the receipt that the other desk
gets. What is refused raises `problems.Refused` or `tickets.errors.ActionRefused`, and nothing was changed. In every
phase a repetition is a receipt that says so.
"""

from datetime import datetime
from typing import TypeVar

from django.db import transaction
from django.utils.translation import gettext as _

from integrations import triggers
from integrations.echo import is_echo
from integrations.engine.references import drop_reference, store_reference
from integrations.inbound.messages import Receipt, ReportedStatus
from integrations.inbound.problems import Disagrees, Invalid
from integrations.models import ExternalReference, ExternalSystem, GroupBinding
from integrations.visibility import binding_for
from tickets import actions
from tickets.actions import FileContent
from tickets.actions.record import lock_task
from tickets.actors import Actor
from tickets.lifecycle import CompletionCode, Phase, TicketStatus
from tickets.models import Category, Contact, Priority, Queue, Task, Visibility

Coded = TypeVar("Coded", Priority, Category, Queue)


def actor_of(system: ExternalSystem, author: str = "") -> Actor:
    """The other desk as the cause of a change, under the name of the author that it gave."""
    return Actor.external(key=system.actor_key, name=author.strip() or system.name)


@transaction.atomic
def acknowledge(*, system: ExternalSystem, task: Task, reference: str, author: str = "") -> Receipt:
    """Store the other desk's number for the task. It is never replaced: another number is refused and named."""
    task = _locked(task)
    if not store_reference(task=task, system=system, value=reference):
        message = _("%(reference)s was the reference of this task already.") % {"reference": reference.strip()}
        return _receipt("acknowledge", system, task, message, changed=False)
    triggers.received(
        system=system,
        task=task,
        operation="acknowledge",
        request_type=triggers.ACKNOWLEDGEMENT,
        actor=actor_of(system, author),
        text=reference.strip(),
    )
    return _receipt("acknowledge", system, task, _("The reference was stored."))


@transaction.atomic
def update(
    *,
    system: ExternalSystem,
    task: Task,
    text: str = "",
    visibility: str = Visibility.PUBLIC,
    author: str = "",
    files: tuple[FileContent, ...] = (),
    expected_resolution_at: datetime | None = None,
    message_id: str = "",
    hold_echo: bool = True,
) -> Receipt:
    """Add a note with its files, and set the expected resolution time. Phase and group stay as they are.

    A text that we sent ourselves a moment ago is held back, with all that came with it, unless `hold_echo` is false.
    """
    task = _locked(task)
    if not text.strip() and not files and expected_resolution_at is None:
        raise Invalid(_("An update needs a text, an attachment or an expected resolution time."))
    if hold_echo and is_echo(task=task, system=system, text=text, their_message_id=message_id):
        return _receipt(
            "update", system, task, _("This is our own text: it was not added again."), changed=False, held_back=True
        )
    actor = actor_of(system, author)
    note, attachments = None, []
    if text.strip():
        note = actions.add_note(
            actor=actor, ticket=task.ticket, task=task, body=text, visibility=visibility, files=files
        )
        attachments = list(note.attachments.all())
    else:
        attachments = [
            actions.attach(actor=actor, ticket=task.ticket, task=task, content=file, visibility=visibility)
            for file in files
        ]
    if expected_resolution_at is not None:
        task = actions.change_task(actor=actor, task=task, expected_resolution_at=expected_resolution_at)
    triggers.received(
        system=system,
        task=task,
        operation="update",
        request_type=triggers.UPDATE,
        actor=actor,
        text=text,
        note=note,
        attachment=attachments[0] if attachments and note is None else None,
    )
    return _receipt(
        "update",
        system,
        task,
        _("The update was added."),
        note=note.pk if note else None,
        attachments=tuple(attachment.pk for attachment in attachments),
    )


def attach(
    *,
    system: ExternalSystem,
    task: Task,
    files: tuple[FileContent, ...],
    visibility: str = Visibility.PUBLIC,
    author: str = "",
) -> Receipt:
    """Add files without a text: an update like any other."""
    if not files:
        raise Invalid(_("Send at least one file."))
    return update(system=system, task=task, files=files, visibility=visibility, author=author)


@transaction.atomic
def reassign(
    *,
    system: ExternalSystem,
    task: Task,
    solution: str = "",
    completion_code: str = CompletionCode.FULFILLED,
    status: str = ReportedStatus.READY,
    author: str = "",
) -> Receipt:
    """The other desk gives the task back: with a solution (ready, closed), or without having done it (rejected).

    A solution brings the task to review, to its owning group. A task that we closed meanwhile stays closed: messages
    cross, and nobody may find a finished ticket open again because of it; another solution is added as a note.
    """
    task = _locked(task)
    if status == ReportedStatus.REJECTED:
        return _rejected(system, task, solution, author)
    actor = actor_of(system, author)
    solution = solution if solution.strip() else _("Resolved by external system")
    if task.phase in (Phase.REVIEW, Phase.CLOSE) and (task.solution, task.completion_code) == (
        solution,
        completion_code,
    ):
        return _receipt("reassign", system, task, _("This solution was known already."), changed=False)
    elsewhere = _is_at_another_desk(task, system)
    if task.phase == Phase.CLOSE or elsewhere:
        text = _("Solution: %(solution)s") % {"solution": solution}
        visibility = Visibility.INTERNAL if elsewhere else Visibility.PUBLIC
        actions.add_note(actor=actor, ticket=task.ticket, task=task, body=text, visibility=visibility)
        message = _("The task is closed: the solution was added as a note.")
        if elsewhere:
            message = _("The task was given to others meanwhile: the solution was added as a note.")
    else:
        binding = binding_for(task, system)
        task = actions.propose_solution(
            actor=actor,
            task=task,
            solution=solution,
            completion_code=completion_code,
            solved_by=binding.group if binding else None,
        )
        message = _("The solution was stored and is being reviewed.")
    triggers.received(
        system=system, task=task, operation="reassign", request_type=triggers.REASSIGNED, actor=actor, text=solution
    )
    return _receipt("reassign", system, task, message)


@transaction.atomic
def create(
    *,
    system: ExternalSystem,
    reference: str,
    title: str,
    contact_email: str,
    contact_name: str = "",
    description: str = "",
    priority: str = "",
    category: str = "",
    queue: str = "",
    files: tuple[FileContent, ...] = (),
    author: str = "",
) -> Receipt:
    """A ticket that the other desk raises with us, and its task with their reference; a known reference: the one
    there is.

    The task has no group: our people take it from the queue. As it holds the reference, what happens to it goes back
    through the processes of the system's group.
    """
    reference = reference.strip()
    # Two creates with one reference at once: the second waits here, then finds the ticket of the first.
    ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
    known = ExternalReference.objects.filter(system=system, value=reference).select_related("task__ticket").first()
    if known is not None:
        message = _("%(reference)s is known already.") % {"reference": reference}
        return _receipt("create", system, known.task, message, changed=False)
    actor = actor_of(system, author)
    contact = Contact.objects.filter(email__iexact=contact_email).first()
    if contact is None:
        contact, _created = Contact.objects.get_or_create(
            email=contact_email, defaults={"name": contact_name or contact_email}
        )
    ticket = actions.create_ticket(
        actor=actor,
        title=title,
        description=description,
        contact=contact,
        priority=_by_code(Priority, "priority", priority),
        category=_by_code(Category, "category", category),
        queue=_by_code(Queue, "queue", queue),
    )
    task = actions.create_task(actor=actor, ticket=ticket)
    store_reference(task=task, system=system, value=reference)
    attachments = tuple(actions.attach(actor=actor, ticket=ticket, task=task, content=file).pk for file in files)
    return _receipt("create", system, task, _("The ticket was created."), attachments=attachments)


def _rejected(system: ExternalSystem, task: Task, reason: str, author: str) -> Receipt:
    """The reference goes, the owning group has the task again, in initial support; a closed task stays closed."""
    concerned = binding_for(task, system)
    if concerned is None or (task.exchanged_group != concerned.group and not _has_reference(task, system)):
        return _receipt("reassign", system, task, _("The task was taken back already."), changed=False)
    actor = actor_of(system, author)
    text = _("Incident was rejected by the external fulfillment system")
    note = actions.add_note(
        actor=actor,
        ticket=task.ticket,
        task=task,
        body=f"{text}: {reason.strip()}" if reason.strip() else text,
        # For our people: the contact's task goes on with somebody else.
        visibility=Visibility.INTERNAL,
    )
    # First of all what follows from it: afterwards nothing tells any more that the task was theirs.
    triggers.received(
        system=system,
        task=task,
        operation="reject",
        request_type=triggers.REASSIGNED,
        actor=actor,
        text=reason,
        note=note,
    )
    drop_reference(task=task, system=system)
    if _is_at_another_desk(task, system):
        return _receipt("reassign", system, task, _("Your reference was removed."), note=note.pk)
    if task.phase == Phase.REVIEW:
        task = actions.reopen_task(actor=actor, task=task, reason=reason)
    if task.phase != Phase.CLOSE and (task.group is None or task.group != task.owning_group):
        task = actions.take_back_task(actor=actor, task=task)
    return _receipt("reassign", system, task, _("The task was taken back."), note=note.pk)


def _has_reference(task: Task, system: ExternalSystem) -> bool:
    return ExternalReference.objects.filter(task=task, system=system).exists()


def _is_at_another_desk(task: Task, system: ExternalSystem) -> bool:
    """Whether another desk works on the task by now: then this one, which still knows it, decides nothing of it."""
    others = GroupBinding.objects.filter(group=task.exchanged_group, integrated=True)
    return others.exclude(system=system).exists()


def _locked(task: Task) -> Task:
    task = lock_task(task)
    if task.ticket.status == TicketStatus.MERGED:
        raise Disagrees(_("The ticket of %(task)s was merged into another one.") % {"task": task.number})
    return task


def _by_code(model: type[Coded], field: str, code: str) -> Coded | None:
    if not code:
        return None
    found = model.objects.filter(code=code).first()
    if found is None:
        known = ", ".join(model.objects.values_list("code", flat=True)[:20])
        raise Invalid(
            _('"%(code)s" is not a %(field)s. Known: %(known)s.') % {"code": code, "field": field, "known": known},
            fields={field: [_("Not known.")]},
        )
    return found


def _receipt(
    operation: str,
    system: ExternalSystem,
    task: Task,
    message: str,
    *,
    changed: bool = True,
    held_back: bool = False,
    note: int | None = None,
    attachments: tuple[int, ...] = (),
) -> Receipt:
    reference = ExternalReference.objects.filter(task=task, system=system).values_list("value", flat=True).first()
    return Receipt(
        operation=operation,
        ticket=task.ticket.number,
        task=task.number,
        external_reference=reference or "",
        message=message,
        changed=changed,
        held_back=held_back,
        note=note,
        attachments=attachments,
    )
