"""What every incoming operation needs: who acts, the task under its lock, what its desk may decide, the receipt."""

import html
import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from integrations import triggers
from integrations.echo import CLOCKS, NotSettled, comment_digest, is_echo, is_ours
from integrations.inbound.exchanged_files import is_attached, was_attached
from integrations.inbound.messages import Comment, Receipt
from integrations.inbound.problems import InProgress, Invalid
from integrations.models import (
    ExternalReference,
    ExternalSystem,
    GroupBinding,
    SeenComment,
    TheirMessage,
    TheirMessageOrigin,
)
from integrations.polling.crossing import moved_by_them
from integrations.their_messages import FILE, NOTE, is_known, remember
from integrations.visibility import asked_for, binding_for, tasks_visible_to
from tickets import actions
from tickets.actions import FileContent
from tickets.actions.attachment import safe_name
from tickets.actions.contact import create_contact
from tickets.actions.record import lock_task, lock_ticket, refuse_merged
from tickets.actors import Actor
from tickets.errors import Conflict
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

# For as long a desk may try again to tell of a note: webhooks are repeated for hours, some for days.
TRIED_AGAIN_FOR: Final = timedelta(days=3)
# A note whose time is this near to that of its arrival came without a time of theirs.
SAME_MOMENT: Final = timedelta(seconds=2)
MARKUP: Final = re.compile(r"<[^<>]*>")


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


# No savepoint: whatever is refused here undoes the whole operation.
@transaction.atomic(savepoint=False)
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
        # A poll may be taking over the same note at this moment: the second waits here, then finds it.
        lock_ticket(task.ticket)
        same: dict[str, Any] = {"text": comment.text, "note_id": comment.note_id, "written_at": comment.written_at}
        if hold_echo and comment.note_id and is_known(task, system, NOTE, comment.note_id):
            continue
        if hold_echo and (is_own_text(task, system, message_id="", **same) or is_here(task, system, **same)):
            continue
        note = actions.add_note(
            actor=actor_of(system, comment.author or author),
            ticket=task.ticket,
            task=task,
            body=comment.text,
            visibility=comment.visibility,
            written_at=comment.written_at,
        )
        if comment.note_id:
            remember(task, system, NOTE, comment.note_id, TheirMessageOrigin.THEIRS, note=note)
        notes.append(note)
    actor = actor_of(system, author)
    return notes, take_files(actor=actor, ticket=task.ticket, task=task, files=files, visibility=visibility)


def take_files(
    *, actor: Actor, ticket: Ticket, task: Task, files: Iterable[FileContent], visibility: str = Visibility.PUBLIC
) -> list[Attachment]:
    """Attach what was not attached before, as far as that can be told."""
    attachments = []
    for file in files_to_take(files, task, actor_key=actor.key):
        # Two messages at once that name one file: the second waits here, then finds it attached.
        lock_ticket(ticket)
        if not is_attached(file, ticket):
            attachments.append(
                actions.attach(actor=actor, ticket=ticket, task=task, content=file, visibility=visibility)
            )
            was_attached(file, attachments[-1])
    return attachments


def files_to_take(
    files: Iterable[FileContent], task: Task, *, actor_key: str, of_known_note: bool = False
) -> tuple[FileContent, ...]:
    """Without those that a poll has fetched already, and if they come with a note that is known, without those that
    it brought: by name and content."""
    here = Attachment.objects.filter(ticket=task.ticket, actor_key=actor_key)
    if not of_known_note:
        fetched = TheirMessage.objects.filter(task=task, kind=FILE, origin=TheirMessageOrigin.THEIRS)
        here = here.filter(pk__in=fetched.values("attachment"))
    known = set(here.values_list("name", "sha256")) if files else set()
    return tuple(file for file in files if (safe_name(file.name), file.sha256) not in known)


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
    """Start the group's incoming process for what moved the task, and see to it that both sides end alike."""
    moved_by_them(task, system)
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
    """The contact with this address, made if it is the first time; None without an address. `InvalidInput` for what
    is none."""
    if not email.strip():
        return None
    same = Contact.objects.filter(email__iexact=email.strip())
    if (contact := same.first()) is not None:
        return contact
    try:
        return create_contact(email=email, name=name)
    except Conflict:
        # Another desk has named the same address a moment ago.
        if (contact := same.first()) is None:
            raise
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


def move(actor: Actor, task: Task, code: str) -> Task:
    """The task goes to the group with this code, where it is worked on and another group has it. `Invalid` names a
    group that there is not."""
    group = AssignmentGroup.objects.filter(code=code).first()
    if group is None:
        raise Invalid(_('"%(code)s" is not an assignment group.') % {"code": code})
    if task.group == group or task.phase in (Phase.REVIEW, Phase.CLOSE):
        return task
    return actions.assign_task(actor=actor, task=task, group=group)


def is_here(task: Task, system: ExternalSystem, text: str, *, note_id: str, written_at: datetime | None) -> bool:
    """Whether a note of theirs came another way before; `note_id` is known from now on.

    A call may tell of a note without the id under which a poll lists it. Then its words tell, and its time: what came
    without an id is the one that is listed, and what was listed the one that is told of. Each counts for one match:
    the same words once more are another note.
    """
    if not text.strip():
        return False
    named = TheirMessage.objects.filter(task=task, system=system, note=OuterRef("pk"))
    notes = Note.objects.filter(task=task, actor_key=system.actor_key).order_by("pk")
    notes = notes.filter(~Exists(named) if note_id else Exists(named.filter(told=False)))
    words = _words(text)
    note = next(
        (each for each in notes if _words(each.body) == words and _same_time(each, note_id, written_at)), None
    )
    if note is None:
        return False
    if note_id:
        remember(task, system, NOTE, note_id, TheirMessageOrigin.THEIRS, note=note)
    TheirMessage.objects.filter(task=task, system=system, note=note).update(told=True)
    return True


def _words(text: str) -> str:
    """What a text says: one desk may write the same as HTML and as plain text, and break lines as it likes."""
    plain = html.unescape(MARKUP.sub("", text))
    return "".join(re.findall(r"\w+", plain)) or "".join(plain.split())


def _same_time(note: Note, note_id: str, written_at: datetime | None) -> bool:
    """Whether the note may be the one of this time (None: not said). Without a time of theirs a note has that of its
    arrival, which may be days late."""
    ours = note.written_at
    if note_id:
        # The note here came by a call; the listed one, without a time, may be of any.
        said, arrived = written_at, abs(note.created_at - ours) < SAME_MOMENT
    else:
        said, arrived = ours, written_at is None
        ours = written_at or timezone.now()
    return said is None or ours - (TRIED_AGAIN_FOR if arrived else CLOCKS) <= said <= ours + CLOCKS


def is_own_text(
    task: Task, system: ExternalSystem, text: str, *, message_id: str, note_id: str, written_at: datetime | None
) -> bool:
    """Whether the text is one that we sent. Raises `InProgress` where that cannot be told yet."""
    if not note_id:
        return is_echo(task=task, system=system, text=text, their_message_id=message_id)
    try:
        if not is_ours(task=task, system=system, text=text, their_message_id=note_id, written_at=written_at):
            return False
    except NotSettled as waits:
        raise InProgress from waits
    remember(task, system, NOTE, note_id, TheirMessageOrigin.OURS)
    return True
