"""The only place where an incoming operation acts. Every dialect ends here, at the same actions as people.

Each function is one transaction with the external system as the actor, and returns the receipt that the other desk
gets. What is refused raises `problems.Refused` or `tickets.errors.ActionRefused`, and nothing was changed. Every
operation is accepted in every phase; a repetition is a receipt that says so. The texts are those of the Case Exchange
document's table of incoming operations.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations import triggers
from integrations.engine.references import store_reference
from integrations.inbound.exchanged_files import KnownFile
from integrations.inbound.messages import Comment, Receipt, ReportedStatus
from integrations.inbound.problems import Invalid
from integrations.inbound.receiving import (
    ASSIGNED,
    PREVIOUS,
    REOPENED,
    RESOLVED,
    actor_of,
    by_code,
    change_facts,
    contact_by_email,
    converse,
    files_to_take,
    follow,
    is_at_another_desk,
    is_here,
    is_own_text,
    known_reference,
    last_words,
    locked,
    move,
    only_told,
    our_number,
    receipt,
    solved_by,
)
from integrations.inbound.returning import cancel, reject
from integrations.levels import SYNCHRONISED
from integrations.models import ExternalSystem, TheirMessageOrigin
from integrations.polling.soon import compare
from integrations.their_messages import NOTE, is_known, remember
from integrations.visibility import raised_by
from tickets import actions
from tickets.actions import FileContent
from tickets.lifecycle import SHELVED, CompletionCode, Phase
from tickets.models import Category, Contact, Priority, Queue, Task, Visibility

# The operations, those that give a task back (`returning.py`) among them.
__all__ = [
    "acknowledge",
    "assign",
    "attach",
    "cancel",
    "close",
    "create",
    "reassign",
    "reject",
    "reopen",
    "resolve",
    "update",
]


@transaction.atomic
def acknowledge(*, system: ExternalSystem, task: Task, reference: str, author: str = "") -> Receipt:
    """Store the other desk's number for the task. It is never replaced: another number is refused and named."""
    task = locked(task)
    if not store_reference(task=task, system=system, value=reference):
        message = _("%(reference)s was the reference of this task already.") % {"reference": reference.strip()}
        return receipt("acknowledge", system, task, message, changed=False)
    triggers.received(
        system=system,
        task=task,
        operation="acknowledge",
        request_type=triggers.ACKNOWLEDGEMENT,
        actor=actor_of(system, author),
        text=reference.strip(),
    )
    return receipt("acknowledge", system, task, _("The reference was stored."))


@transaction.atomic
def create(
    *,
    system: ExternalSystem,
    reference: str | None,
    title: str,
    external_id: str = "",
    task: Task | None = None,
    contact: Contact | None = None,
    contact_email: str = "",
    contact_name: str = "",
    description: str = "",
    priority: str = "",
    category: str = "",
    queue: str = "",
    comments: tuple[Comment, ...] = (),
    files: tuple[FileContent, ...] = (),
    author: str = "",
    hold_echo: bool = True,
) -> Receipt:
    """A ticket that the other desk raises with us, and its task with their reference; a known reference: the one
    there is, of which what is new is an update; None: they know it by our number. With `task` no ticket is made:
    their reference is stored for it.

    The new task has no group: our people take it from the queue. As it holds the reference, what happens to it goes
    back through the processes of the system's group.
    """
    said: dict[str, Any] = {"system": system, "author": author, "comments": comments, "hold_echo": hold_echo}
    if task is not None:
        new = any(converse(**said, task=locked(task), files=files))
        told = acknowledge(system=system, task=task, reference=reference or "", author=author)
        return replace(told, changed=told.changed or new)
    known = known_reference(system, reference or "")
    if known is not None:
        # Of a file that is brought along nobody can tell whether it came before; one with a guid is attached once.
        named = tuple(file for file in files if isinstance(file, KnownFile))
        told = update(**said, task=known.task, files=named, may_be_empty=True)
        if told.changed:
            return told
        known_already = _("%(reference)s is known already.") % {"reference": known.value}
        return receipt("create", system, known.task, known_already, changed=False)
    actor = actor_of(system, author)
    ticket = actions.create_ticket(
        actor=actor,
        title=title,
        description=description,
        contact=contact or contact_by_email(contact_email, contact_name),
        priority=by_code(Priority, "priority", priority),
        category=by_code(Category, "category", category),
        queue=by_code(Queue, "queue", queue),
    )
    task = actions.create_task(actor=actor, ticket=ticket)
    number = our_number(system, ticket) if reference is None else reference
    store_reference(task=task, system=system, value=number, external_id=external_id)
    ids = tuple(file.pk for file in converse(**said, task=task, files=files)[1])
    return receipt("create", system, task, _("The ticket was created."), attachments=ids)


@transaction.atomic
def update(
    *,
    system: ExternalSystem,
    task: Task,
    text: str = "",
    visibility: str = Visibility.PUBLIC,
    author: str = "",
    comments: tuple[Comment, ...] = (),
    files: tuple[FileContent, ...] = (),
    expected_resolution_at: datetime | None = None,
    solution: str = "",
    title: str = "",
    description: str = "",
    priority: str = "",
    category: str = "",
    may_be_empty: bool = False,
    message_id: str = "",
    written_at: datetime | None = None,
    group: str = "",
    synchronised: bool = False,
    note_id: str = "",
    theirs: bool = False,
    hold_echo: bool = True,
) -> Receipt:
    """Add notes and files, set the expected resolution time and the solution. The phase stays as it is, and the group
    unless a desk whose values are synchronised names another.

    A text that we sent ourselves is held back, with all that came with it, unless `hold_echo` is false or the desk
    says that it is `theirs`. Comments, and notes with a `note_id`, that were taken over before are dropped. What the
    ticket says is theirs to change if they raised it, or after a look at their ticket (`synchronised`), which follows
    where values are synchronised.
    """
    task = locked(task)
    said = any((text.strip(), files, comments, solution.strip(), expected_resolution_at))
    if not (may_be_empty or said or title or description or priority or category):
        raise Invalid(_("An update needs a text, an attachment or an expected resolution time."))
    known = hold_echo and bool(note_id) and is_known(task, system, NOTE, note_id)
    if (
        hold_echo
        and not known
        and not theirs
        and is_own_text(task, system, text, message_id=message_id, note_id=note_id, written_at=written_at)
    ):
        return receipt(
            "update", system, task, _("This is our own text: it was not added again."), changed=False, held_back=True
        )
    if known or (hold_echo and is_here(task, system, text, note_id=note_id, written_at=written_at)):
        known, text, files = True, "", files_to_take(files, task, actor_key=system.actor_key, of_known_note=True)
    files = files_to_take(files, task, actor_key=system.actor_key)
    actor = actor_of(system, author)
    notes, attachments = converse(
        system=system, task=task, author=author, comments=comments, files=() if text.strip() else files,
        visibility=visibility, hold_echo=hold_echo,
    )  # fmt: skip
    if text.strip():
        note = actions.add_note(
            actor=actor,
            ticket=task.ticket,
            task=task,
            body=text,
            visibility=visibility,
            files=files,
            written_at=written_at,
        )
        notes, attachments = [*notes, note], [*attachments, *note.attachments.all()]
        if note_id:
            remember(task, system, NOTE, note_id, TheirMessageOrigin.THEIRS, note=note)
    before = (task.version, task.ticket.version)
    values: dict[str, Any] = {"expected_resolution_at": expected_resolution_at} if expected_resolution_at else {}
    if solution.strip() and task.phase != Phase.CLOSE and not is_at_another_desk(task, system):
        values["solution"] = solution
    if values:
        task = actions.change_task(actor=actor, task=task, **values)
    if raised_by(system, task.ticket) or (synchronised and not is_at_another_desk(task, system)):
        change_facts(actor, task, title=title, description=description, priority=priority, category=category)
    elif system.level in SYNCHRONISED and not is_at_another_desk(task, system):
        compare(task, system, priority=priority, category=category)
    if group and not is_at_another_desk(task, system):
        task = move(actor, task, group)
    if not notes and not attachments and before == (task.version, task.ticket.version):
        nothing = _("This note was known already.") if known else _("There was nothing new in it.")
        return receipt("update", system, task, nothing, changed=False)
    if notes or attachments or before[0] != task.version:
        # Another priority or title is nothing that somebody would have to answer.
        actions.wake_ticket(actor=actor, ticket=task.ticket)
    triggers.received(
        system=system,
        task=task,
        operation="update",
        request_type=triggers.UPDATE,
        actor=actor,
        text=text or "\n\n".join(note.body for note in notes),
        note=notes[-1] if notes else None,
        attachment=attachments[0] if attachments and not notes else None,
    )
    return receipt(
        "update",
        system,
        task,
        _("The update was added."),
        note=notes[-1].pk if notes else None,
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


def reassign(
    *,
    system: ExternalSystem,
    task: Task,
    solution: str = "",
    completion_code: str = CompletionCode.FULFILLED,
    status: str = ReportedStatus.READY,
    author: str = "",
) -> Receipt:
    """The other desk gives the task back: with a solution (ready, closed), or without having done it (rejected)."""
    if status == ReportedStatus.REJECTED:
        return reject(system=system, task=task, reason=solution, author=author, operation="reassign")
    return resolve(
        system=system,
        task=task,
        solution=solution or _(RESOLVED),
        completion_code=completion_code,
        author=author,
        operation="reassign",
    )


@transaction.atomic
def resolve(
    *,
    system: ExternalSystem,
    task: Task,
    solution: str = "",
    completion_code: str = "",
    author: str = "",
    operation: str = "resolve",
) -> Receipt:
    """Solution and completion code, where they are given or have no value yet; the task enters review.

    A task that we closed meanwhile stays closed: messages cross, and nobody may find a finished ticket open again
    because of it; another solution is added as a note. So is that of a desk whose task is at another one by now.
    """
    task = locked(task)
    solution = solution if solution.strip() else task.solution or _(RESOLVED)
    completion_code = completion_code or task.completion_code or CompletionCode.FULFILLED
    if task.phase in (Phase.REVIEW, Phase.CLOSE) and (task.solution, task.completion_code) == (
        solution,
        completion_code,
    ):
        return receipt(operation, system, task, _("This solution was known already."), changed=False)
    if (told := only_told(system, task, solution, author, operation, code=completion_code)) is not None:
        return told
    actor = actor_of(system, author)
    task = actions.propose_solution(
        actor=actor,
        task=task,
        solution=solution,
        completion_code=completion_code,
        solved_by=solved_by(task, system),
    )
    follow(system, task, operation, author, text=solution)
    return receipt(operation, system, task, _("The solution was stored and is being reviewed."))


@transaction.atomic
def close(
    *,
    system: ExternalSystem,
    task: Task,
    solution: str = "",
    completion_code: str = "",
    author: str = "",
) -> Receipt:
    """As `resolve`, and nobody is asked: the task is closed, and with the last one the ticket."""
    task = locked(task)
    solution = solution if solution.strip() else task.solution or _(RESOLVED)
    completion_code = completion_code or task.completion_code or CompletionCode.FULFILLED
    if task.phase == Phase.CLOSE and task.solution == solution:
        return receipt("close", system, task, _("The task was closed already."), changed=False)
    if (told := only_told(system, task, solution, author, "close", code=completion_code)) is not None:
        return told
    task = actions.close_task(
        actor=actor_of(system, author),
        task=task,
        solution=solution,
        completion_code=completion_code,
    )
    follow(system, task, "close", author, text=solution)
    return receipt("close", system, task, _("The task was closed."))


@transaction.atomic
def reopen(*, system: ExternalSystem, task: Task, reason: str = "", author: str = "") -> Receipt:
    """Solution and completion code go, and a note says what the solution was; the task is worked on again."""
    task = locked(task)
    if task.phase == Phase.INITIAL_SUPPORT and not task.solution and not task.completion_code:
        return receipt("reopen", system, task, _("The task was open already."), changed=False)
    text = _(PREVIOUS) % {"solution": task.solution} if task.solution else _(REOPENED)
    if reason.strip():
        text = f"{text}\n\n{reason.strip()}"
    actor = actor_of(system, author)
    if is_at_another_desk(task, system):
        actions.add_note(actor=actor, ticket=task.ticket, task=task, body=text, visibility=Visibility.INTERNAL)
        return receipt("reopen", system, task, _("The task was given to others meanwhile: this was added as a note."))
    note = actions.add_note(actor=actor, ticket=task.ticket, task=task, body=text)
    if task.ticket.status in SHELVED:
        return receipt(
            "reopen", system, task, _("The ticket is not worked on: this was added as a note."), note=note.pk
        )
    if task.phase in (Phase.REVIEW, Phase.CLOSE):
        task = actions.reopen_task(actor=actor, task=task, reason=reason)
    else:
        task = actions.resume_task(actor=actor, task=task, forget_solution=True)
        actions.wake_ticket(actor=actor, ticket=task.ticket)
    follow(system, task, "reopen", author, text=reason, note=note)
    return receipt("reopen", system, task, _("The task was reopened."), note=note.pk)


@transaction.atomic
def assign(*, system: ExternalSystem, task: Task, author: str = "") -> Receipt:
    """They gave the task to somebody of theirs: a note, and the task is in initial support."""
    task = locked(task)
    text = _(ASSIGNED)
    elsewhere = is_at_another_desk(task, system)
    in_place = elsewhere or task.phase in (Phase.INITIAL_SUPPORT, Phase.CLOSE)
    if in_place and last_words(task, system) == text:
        return receipt("assign", system, task, _("This was known already."), changed=False)
    actor = actor_of(system, author)
    # For our people: it says nothing to the contact.
    note = actions.add_note(actor=actor, ticket=task.ticket, task=task, body=text, visibility=Visibility.INTERNAL)
    if not in_place:
        task = actions.resume_task(actor=actor, task=task)
    follow(system, task, "assign", author, note=note)
    return receipt("assign", system, task, _("The assignment was noted."), note=note.pk)
