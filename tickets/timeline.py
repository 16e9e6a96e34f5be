"""A ticket's conversation as entries in order of time: notes, files, and what happened in between."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from tickets.events import EventName
from tickets.models import Attachment, History, Note, Task, Ticket, Visibility

# One action writes a row for each field it changes, all within moments of each other.
SAME_ACTION = timedelta(seconds=5)

SENTENCES: dict[str, Promise] = {
    "note": _("wrote"),
    "files": _("attached"),
    EventName.NOTE_ADDED: _("wrote"),
    EventName.ATTACHMENT_ADDED: _("attached"),
    EventName.TICKET_CREATED: _("raised the ticket"),
    EventName.TICKET_CHANGED: _("changed the ticket"),
    EventName.TICKET_CLOSED: _("closed the ticket"),
    EventName.TICKET_REOPENED: _("reopened the ticket"),
    EventName.STATUS_CHANGED: _("changed the status"),
    EventName.MEMBERS_CHANGED: _("changed who takes part"),
    EventName.LINKS_CHANGED: _("changed the links"),
    EventName.TAGS_CHANGED: _("changed the tags"),
    EventName.PROPERTIES_CHANGED: _("changed the properties"),
    EventName.TICKET_MERGED: _("merged the ticket"),
    EventName.TASK_CREATED: _("added a task"),
    EventName.TASK_ASSIGNED: _("assigned the task"),
    EventName.TASK_CHANGED: _("changed the task"),
    EventName.TASK_CLOSED: _("closed the task"),
    EventName.TASK_REOPENED: _("reopened the task"),
    EventName.SOLUTION_PROPOSED: _("proposed a solution"),
    EventName.SOLUTION_ACCEPTED: _("accepted the solution"),
    EventName.SOLUTION_DECLINED: _("declined the solution"),
}

# What the ticket's contact may know, beside public notes and files.
PUBLIC_EVENTS = (
    EventName.TICKET_CREATED,
    EventName.TICKET_CLOSED,
    EventName.TICKET_REOPENED,
    EventName.TASK_CLOSED,
    EventName.SOLUTION_PROPOSED,
    EventName.SOLUTION_ACCEPTED,
    EventName.SOLUTION_DECLINED,
)


@dataclass
class TimelineEntry:
    """One thing that was said or done. `kind` is "note", "files" or an event's name; `key` is unique on the page.

    `sentence` follows the author's name: "Ada" "proposed a solution". `changes` are history rows, for agents only.
    """

    key: str
    kind: str
    at: datetime
    author: str
    actor_kind: str
    text: str = ""
    visibility: str = Visibility.PUBLIC
    task: Task | None = None
    files: list[Attachment] = field(default_factory=list)
    changes: list[History] = field(default_factory=list)

    @property
    def sentence(self) -> Promise | str:
        """What the author did, in words; an event of another package by its name."""
        return SENTENCES.get(self.kind, self.kind.replace("_", " "))

    @property
    def is_internal(self) -> bool:
        """Whether only agents may read it."""
        return self.visibility == Visibility.INTERNAL


def timeline(
    ticket: Ticket,
    *,
    visibilities: Collection[str],
    events: Collection[str],
    unread: Collection[str] = (),
) -> list[TimelineEntry]:
    """Notes and files of these visibilities and these events, oldest first, but for words of the actors `unread`
    (their keys). Three queries, however long it is."""
    notes = Note.objects.filter(ticket=ticket, visibility__in=visibilities).select_related("task")
    files = Attachment.objects.filter(ticket=ticket, visibility__in=visibilities).select_related("task")
    if unread:
        notes, files = notes.exclude(actor_key__in=unread), files.exclude(actor_key__in=unread)
    history = History.objects.filter(ticket=ticket, event__in=events).select_related("task").order_by("id")
    entries = [*_of_notes(notes, list(files)), *of_history(history)]
    for entry in entries:
        if entry.kind == EventName.TICKET_CREATED:
            entry.text = ticket.description
    return sorted(entries, key=lambda entry: entry.at)


def _of_notes(notes: Iterable[Note], files: list[Attachment]) -> list[TimelineEntry]:
    entries: dict[int, TimelineEntry] = {
        note.pk: TimelineEntry(
            key=f"note-{note.pk}",
            kind="note",
            at=note.written_at,
            author=note.author_name,
            actor_kind=note.actor_kind,
            text=note.body,
            visibility=note.visibility,
            task=note.task,
        )
        for note in notes
    }
    alone: list[TimelineEntry] = []
    for file in files:
        entry = entries.get(file.note_id) if file.note_id else None
        if entry is not None:
            entry.files.append(file)
            continue
        alone.append(
            TimelineEntry(
                key=f"file-{file.pk}",
                kind="files",
                at=file.created_at,
                author=file.author_name,
                actor_kind=file.actor_kind,
                visibility=file.visibility,
                task=file.task,
                files=[file],
            )
        )
    return [*entries.values(), *alone]


def of_history(rows: Iterable[History]) -> list[TimelineEntry]:
    """One entry for each action, from rows in order of id: rows of one action differ in their field only."""
    entries: list[TimelineEntry] = []
    for row in rows:
        if entries and _same_action(entries[-1].changes, row):
            entries[-1].changes.append(row)
            continue
        entries.append(
            TimelineEntry(
                key=f"history-{row.pk}",
                kind=row.event,
                at=row.created_at,
                author=row.author_name,
                actor_kind=row.actor_kind,
                text=row.text,
                task=row.task,
                changes=[row],
            )
        )
    return entries


def _same_action(earlier: list[History], row: History) -> bool:
    last = earlier[-1]
    return (
        (row.event, row.task_id, row.text, row.author_name) == (last.event, last.task_id, last.text, last.author_name)
        and row.field not in {other.field for other in earlier}
        and row.created_at - last.created_at < SAME_ACTION
    )
