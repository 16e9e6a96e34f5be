"""What every action does: lock first, write the history beside the change, then publish."""

from typing import Any

from django.db import models
from django.utils.translation import gettext as _

from tickets.actors import Actor
from tickets.errors import Conflict, InvalidInput
from tickets.models import History, Task, Ticket

MAX_TITLE_CHARACTERS = 250


def lock_ticket(ticket: Ticket, *, expected_version: int | None = None) -> Ticket:
    """The ticket, fresh and locked until the transaction ends. Every action locks it first: one order, no deadlock.

    `no_key`: rows that merely point at the ticket (an exchange, a history row) can be written meanwhile.
    """
    locked = (
        Ticket.objects.select_for_update(of=("self",), no_key=True)
        .select_related("contact", "priority")
        .get(pk=ticket.pk)
    )
    refuse_stale(locked, expected_version)
    return locked


def lock_task(task: Task, *, expected_version: int | None = None) -> Task:
    """The task, fresh, with its ticket locked."""
    ticket = lock_ticket(task.ticket)
    locked = Task.objects.select_related("group", "owning_group", "solved_by_group").get(pk=task.pk)
    locked.ticket = ticket
    refuse_stale(locked, expected_version)
    return locked


def refuse_stale(record: Ticket | Task, expected_version: int | None) -> None:
    """`Conflict` if the record is no longer at the version that the caller has read."""
    if expected_version is not None and record.version != expected_version:
        raise Conflict(
            _("%(number)s was changed by somebody else in the meantime. Reload the page and apply your change again.")
            % {"number": record.number}
        )


def checked_title(title: str) -> str:
    """The title without space around it; `InvalidInput` if nothing is left or it is longer than its column."""
    title = title.strip()
    if not title:
        raise InvalidInput(_("A title is needed."))
    if len(title) > MAX_TITLE_CHARACTERS:
        raise InvalidInput(_("The title is longer than %(limit)d characters.") % {"limit": MAX_TITLE_CHARACTERS})
    return title


def authored(actor: Actor) -> dict[str, Any]:
    """The columns that name the author of a note, an attachment or a history row."""
    return {
        "actor_kind": actor.kind,
        "actor_key": actor.key,
        "author_name": actor.name[:200],
        "author_id": actor.user_id,
    }


def write_history(
    actor: Actor,
    event: str,
    *,
    ticket: Ticket,
    task: Task | None = None,
    text: str = "",
    changes: dict[str, tuple[Any, Any]] | None = None,
) -> None:
    """One row for the event, or one for each changed field."""
    rows = [
        History(
            ticket=ticket,
            task=task,
            event=event,
            field=field,
            old="" if old is None else str(old),
            new="" if new is None else str(new),
            text=text,
            **authored(actor),
        )
        for field, (old, new) in (changes or {"": ("", "")}).items()
    ]
    History.objects.bulk_create(rows)


def set_fields(record: models.Model, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Set what differs and raise the version; returns field -> (before, after), empty if nothing differs."""
    changes = {
        name: (getattr(record, name), value) for name, value in values.items() if getattr(record, name) != value
    }
    if changes:
        for name, (_before, value) in changes.items():
            setattr(record, name, value)
        record.version += 1  # type: ignore[attr-defined]
        record.save(update_fields=[*changes, "version", "updated_at"])
    return changes
