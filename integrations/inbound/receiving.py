"""What every incoming operation needs: who acts, the task under its lock, what its desk may decide, the receipt."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final, TypeVar

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from integrations import triggers
from integrations.echo import comment_digest, is_echo
from integrations.inbound.exchanged_files import is_attached, was_attached
from integrations.inbound.messages import Comment, Receipt
from integrations.inbound.problems import Invalid
from integrations.models import ExternalReference, ExternalSystem, GroupBinding, SeenComment
from integrations.visibility import asked_for, binding_for, tasks_visible_to
from tickets import actions
from tickets.actions import FileContent
from tickets.actions.record import lock_task, lock_ticket, refuse_merged
from tickets.actors import Actor
from tickets.lifecycle import Phase
from tickets.models import (
    AssignmentGroup,
    Attachment,
    Category,
    Contact,
    Note,
    Priority,
    Queue,
    Task,
    Ticket,
    Visibility,
)

Coded = TypeVar("Coded", Priority, Category, Queue)

# The texts of the Case Exchange document's table of incoming operations.
RESOLVED: Final = gettext_noop("Resolved by external system")
CANCELLED: Final = gettext_noop("Incident canceled by external system")
REOPENED: Final = gettext_noop("Incident was reopened.")
PREVIOUS: Final = gettext_noop("Incident was reopened. Previous solution was: %(solution)s")
ASSIGNED: Final = gettext_noop("Incident was assigned locally from external system")
REJECTED: Final = gettext_noop("Incident was rejected by the external fulfillment system")


def actor_of(system: ExternalSystem, author: str = "") -> Actor:
    """The other desk as the cause of a change, under the name of the author that it gave."""
    return Actor.external(key=system.actor_key, name=author.strip() or system.name)


def locked(task: Task) -> Task:
    """The task, fresh, its ticket locked. `TransitionRefused` for a merged ticket names the one to use."""
    task = lock_task(task)
    refuse_merged(task.ticket)
    return task


def solved_by(task: Task, system: ExternalSystem) -> AssignmentGroup | None:
    """The group whose work a solution of this desk is; None where the task is our own work for that desk."""
    binding = binding_for(task, system)
    if binding is None or (task.exchanged_group != binding.group and asked_for(task, system)):
        return None
    return binding.group


def is_at_another_desk(task: Task, system: ExternalSystem) -> bool:
    """Whether another desk works on the task by now: then this one, which still knows it, decides nothing of it."""
    others = GroupBinding.objects.filter(group=task.exchanged_group, integrated=True)
    return others.exclude(system=system).exists()


def has_reference(task: Task, system: ExternalSystem) -> bool:
    """Whether the desk's number for the task is known."""
    return ExternalReference.objects.filter(task=task, system=system).exists()


def known_reference(system: ExternalSystem, value: str) -> ExternalReference | None:
    """The desk's number where it is known. Two creates with one number at once: the second waits here until the first
    has ended, then finds its ticket."""
    ExternalSystem.objects.select_for_update(no_key=True).get(pk=system.pk)
    known = ExternalReference.objects.filter(system=system, value=value.strip())
    return known.select_related("task__ticket").first()


def our_number(system: ExternalSystem, ticket: Ticket) -> str:
    """By what a desk without a number of its own knows the ticket: its primary key, marked where that is taken."""
    number = str(ticket.pk)
    taken = ExternalReference.objects.filter(system=system, value=number).exists()
    return f"case {number}" if taken else number


def same(ours: object, theirs: object) -> bool:
    """Whether the other desk says what there is. Who keeps times in milliseconds must not seem to change them."""
    if isinstance(ours, datetime) and isinstance(theirs, datetime):
        return abs((ours - theirs).total_seconds()) < 0.001
    return (ours or None) == (theirs or None)


def is_new(comment: Comment, *, task: Task, system: ExternalSystem) -> bool:
    """Whether the comment was not taken over before; from now on it is known, by its time and text."""
    digest = comment_digest(text=comment.text, created_at=comment.created_at)
    _seen, created = SeenComment.objects.get_or_create(task=task, system=system, digest=digest)
    return created


def last_words(task: Task, system: ExternalSystem) -> str:
    """The newest note of this desk on the task."""
    newest = Note.objects.filter(task=task, actor_key=system.actor_key).order_by("-id")
    return newest.values_list("body", flat=True).first() or ""


def rejected_before(system: ExternalSystem, number: str) -> Task | None:
    """The task with our number that this desk has rejected and knows no more: rejecting it again is a repetition."""
    task = Task.objects.select_related("ticket").filter(number=number[:30], notes__actor_key=system.actor_key).first()
    if task is None or tasks_visible_to(system).filter(pk=task.pk).exists():
        return None
    return task if last_words(task, system).startswith(_(REJECTED)) else None


def by_code(model: type[Coded], field: str, code: str) -> Coded | None:
    """The record of the catalogue. `Invalid` names the known codes."""
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


def receipt(
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
    """What the other desk is told."""
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


@transaction.atomic
def converse(
    *,
    system: ExternalSystem,
    task: Task,
    author: str = "",
    comments: Iterable[Comment] = (),
    files: Iterable[FileContent] = (),
    visibility: str = Visibility.PUBLIC,
    hold_echo: bool = True,
) -> tuple[list[Note], list[Attachment]]:
    """Take over comments that are new, in their order, and files. What we sent ourselves is dropped, too."""
    notes = []
    for comment in comments:
        if not is_new(comment, task=task, system=system):
            continue
        if hold_echo and is_echo(task=task, system=system, text=comment.text):
            continue
        notes.append(
            actions.add_note(
                actor=actor_of(system, comment.author or author),
                ticket=task.ticket,
                task=task,
                body=comment.text,
                visibility=comment.visibility,
            )
        )
    actor = actor_of(system, author)
    return notes, take_files(actor=actor, ticket=task.ticket, task=task, files=files, visibility=visibility)


def take_files(
    *, actor: Actor, ticket: Ticket, task: Task, files: Iterable[FileContent], visibility: str = Visibility.PUBLIC
) -> list[Attachment]:
    """Attach what was not attached before, as far as that can be told."""
    attachments = []
    for file in files:
        # Two messages at once that name one file: the second waits here, then finds it attached.
        lock_ticket(ticket)
        if not is_attached(file, ticket):
            attachments.append(
                actions.attach(actor=actor, ticket=ticket, task=task, content=file, visibility=visibility)
            )
            was_attached(file, attachments[-1])
    return attachments


def only_told(
    system: ExternalSystem, task: Task, solution: str, author: str, operation: str, *, code: str = ""
) -> Receipt | None:
    """A note instead of a decision, where the task is closed or at another desk; None where the desk may decide.

    A task that was closed without a solution takes it, and the `code` where it has none; it stays closed.
    """
    elsewhere = is_at_another_desk(task, system)
    if task.phase != Phase.CLOSE and not elsewhere:
        return None
    if code and not elsewhere and not task.solution.strip():
        values: dict[str, Any] = {"solution": solution, "completion_code": task.completion_code or code}
        task = actions.change_task(actor=actor_of(system, author), task=task, **values)
        follow(system, task, operation, author, text=solution)
        return receipt(operation, system, task, _("The solution was stored. The task was closed already."))
    body = _("Solution: %(solution)s") % {"solution": solution}
    if last_words(task, system) == body:
        return receipt(operation, system, task, _("This solution was known already."), changed=False)
    actor = actor_of(system, author)
    visibility = Visibility.INTERNAL if elsewhere else Visibility.PUBLIC
    note = actions.add_note(actor=actor, ticket=task.ticket, task=task, body=body, visibility=visibility)
    follow(system, task, operation, author, text=solution)
    message = _("The task is closed: the solution was added as a note.")
    if elsewhere:
        message = _("The task was given to others meanwhile: the solution was added as a note.")
    return receipt(operation, system, task, message, note=note.pk)


def follow(
    system: ExternalSystem, task: Task, operation: str, author: str, *, text: str = "", note: Note | None = None
) -> None:
    """Start the group's incoming process for what moved the task."""
    triggers.received(
        system=system,
        task=task,
        operation=operation,
        request_type=triggers.REASSIGNED,
        actor=actor_of(system, author),
        text=text,
        note=note,
    )


def contact_by_email(email: str, name: str) -> Contact | None:
    """The contact with this address, made if it is the first time; None without an address."""
    if not email:
        return None
    contact = Contact.objects.filter(email__iexact=email).first()
    if contact is None:
        contact, _created = Contact.objects.get_or_create(email=email, defaults={"name": name or email})
    return contact


def change_facts(actor: Actor, task: Task, *, title: str, description: str, priority: str, category: str) -> None:
    """What the ticket says, where it is given."""
    facts: dict[str, Any] = {
        "title": title,
        "description": description,
        "priority": by_code(Priority, "priority", priority),
        "category": by_code(Category, "category", category),
    }
    given = {name: value for name, value in facts.items() if value}
    task.ticket = actions.change_ticket(actor=actor, ticket=task.ticket, **given)
