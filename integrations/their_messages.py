"""Notes and files by the ids that they have at the other desk: known for good, whoever wrote them."""

from typing import Final

from integrations.models import ExternalSystem, TheirMessage, TheirMessageOrigin
from tickets.models import Attachment, Note, Task

NOTE: Final = "note"
FILE: Final = "file"
LONGEST: Final = 200
# What is not here; it may come yet.
NOT_HERE: Final = (TheirMessageOrigin.REFUSED, TheirMessageOrigin.LATER)


def known(task: Task, system: ExternalSystem, kind: str) -> dict[str, str]:
    """Their id -> origin, of all that is known of this task."""
    rows = TheirMessage.objects.filter(task=task, system=system, kind=kind)
    return dict(rows.values_list("their_id", "origin"))


def is_known(task: Task, system: ExternalSystem, kind: str, their_id: str) -> bool:
    """Whether it was taken over, or sent by us; what was refused here or there may come again."""
    rows = TheirMessage.objects.filter(task=task, system=system, kind=kind, their_id=their_id[:LONGEST])
    return rows.exclude(origin__in=NOT_HERE).exists()


def remember(
    task: Task,
    system: ExternalSystem,
    kind: str,
    their_id: str,
    origin: str,
    *,
    note: Note | None = None,
    attachment: Attachment | None = None,
) -> None:
    """From now on it is known. What is known stays as it is, unless it had been refused here or there."""
    values = {"origin": origin, "note": note, "attachment": attachment}
    row, created = TheirMessage.objects.get_or_create(
        task=task, system=system, kind=kind, their_id=their_id[:LONGEST], defaults=values
    )
    if not created and row.origin in NOT_HERE and origin != row.origin:
        row.origin, row.note, row.attachment = origin, note, attachment
        row.save(update_fields=["origin", "note", "attachment"])
