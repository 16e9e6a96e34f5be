"""The notes and files of another desk's ticket: each is taken over once, and those that we have sent never."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.inbound.messages import Update
from integrations.inbound.problems import InProgress
from integrations.models import ExternalReference, ExternalSystem, TheirMessage, TheirMessageOrigin, TheirTicket
from integrations.polling.delivering import deliver
from integrations.polling.operations import NOTES, Brought, NotToBeHad, Operations
from integrations.polling.records import moment, text
from integrations.their_messages import LONGEST, NOTE, known, remember
from tickets.models import Task, Visibility

TRUE: Final = ("true", "1", "yes")
FALSE: Final = ("false", "0", "no")
# Marks the id of a note that was internal when it was taken over and is public by now.
SINCE: Final = " public"


@dataclass(frozen=True)
class TheirNote:
    """One note as the desk lists it. `id` is made of what it says where the desk tells none. A desk may say whose it
    is; many do not."""

    id: str
    text: str
    author: str
    written_at: datetime | None
    visibility: str
    is_ours: bool
    is_theirs: bool


def take_notes(asking: Operations, reference: ExternalReference, *, url: str) -> Brought:
    """Take over the notes that are not known yet, in their order. Raises `PollFailed`."""
    if not asking.has(NOTES):
        return Brought()
    task, system = reference.task, asking.system
    broken: list[str] = []
    try:
        listed = in_order(notes_of(asking.all_pages(NOTES, task=task, broken=broken)))
    except NotToBeHad as problem:
        asking.problems.append(_("The notes of %(ticket)s: %(problem)s") % {"ticket": reference, "problem": problem})
        return Brought(later=True, refused=((_("The notes"), problem),))
    if broken:
        asking.problems.append(_("A note of %(ticket)s: %(problem)s") % {"ticket": reference, "problem": broken[0]})
    seen, kept_internal = known(task, system, NOTE), _internal(task, system)
    brought = 0
    for each in listed:
        note = each
        if note.id in kept_internal and note.visibility == Visibility.PUBLIC:
            # Made public since: whoever it is for now has not read it, and what is written here is never changed.
            note = replace(note, id=f"{note.id[: LONGEST - len(SINCE)]}{SINCE}")
        if note.id in seen or not note.text.strip():
            continue
        if note.is_ours:
            remember(task, system, NOTE, note.id, TheirMessageOrigin.OURS)
            continue
        asking.before_send()
        brought += _take(asking, reference, note, url=url)
    return Brought(brought, later=bool(broken))


def _take(asking: Operations, reference: ExternalReference, note: TheirNote, *, url: str) -> int:
    message = Update(
        task_number=reference.task.number,
        text=note.text,
        author=note.author,
        visibility=note.visibility,
        written_at=note.written_at,
        note_id=note.id,
        theirs=note.is_theirs,
    )
    try:
        receipt = deliver(asking.system, message, url=url)
    except InProgress:
        # It may be a text of ours that is under way: looked at again, when its answer has told.
        TheirTicket.objects.filter(reference=reference).update(wanted_at=timezone.now())
        return 0
    if receipt is None:
        remember(reference.task, asking.system, NOTE, note.id, TheirMessageOrigin.REFUSED)
    return 1 if receipt is None or receipt.changed or receipt.held_back else 0


def _internal(task: Task, system: ExternalSystem) -> set[str]:
    """The ids there of what was taken over for our people alone."""
    rows = TheirMessage.objects.filter(task=task, system=system, kind=NOTE, note__visibility=Visibility.INTERNAL)
    return set(rows.exclude(origin=TheirMessageOrigin.OURS).values_list("their_id", flat=True))


def notes_of(records: Iterable[Mapping[str, Any]]) -> list[TheirNote]:
    """The notes of what was read. A time that cannot be read is left out: the note is not."""
    found, alike = [], Counter[str]()
    for record in records:
        said = {name: text(value) for name, value in record.items()}
        body, author, at = said.get("text", ""), said.get("author", ""), said.get("at", "")
        their_id = said.get("id", "").strip()[:LONGEST]
        if not their_id:
            digest = hashlib.sha256(f"{at}\n{author}\n{body}".encode(errors="replace")).hexdigest()
            alike[digest] += 1
            their_id = f"{digest} {alike[digest]}"
        found.append(
            TheirNote(
                id=their_id,
                text=body,
                author=author[:200],
                written_at=_moment(at),
                visibility=_visibility(said.get("visibility", "")),
                is_ours=said.get("ours", "").strip().lower() in TRUE,
                is_theirs=said.get("ours", "").strip().lower() in FALSE,
            )
        )
    return found


def in_order(notes: list[TheirNote]) -> list[TheirNote]:
    """By the time at which they were written, where each has one; else as they are listed."""
    if any(note.written_at is None for note in notes):
        return notes
    return sorted(notes, key=lambda note: note.written_at or timezone.now())


def _moment(at: str) -> datetime | None:
    try:
        return moment(at)
    except ValueError:
        return None


def _visibility(said: str) -> str:
    """What is not plainly public is for our people."""
    return Visibility.PUBLIC if said.strip().lower() in ("", Visibility.PUBLIC) else Visibility.INTERNAL
