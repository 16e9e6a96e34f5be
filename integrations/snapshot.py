"""An event as plain data: the context of every template, pinned in its run."""

from typing import Any

from django.conf import settings
from django.utils import timezone

from integrations.models import ContactReference, ExternalReference, ExternalSystem
from integrations.visibility import notes_a_desk_may_read
from tickets.actors import Actor
from tickets.lifecycle import TicketStatus
from tickets.models import Attachment, Category, Contact, MemberRole, Note, PropertyDefinition, Queue, Task, Ticket

NOTES_IN_SNAPSHOT = 50


def snapshot(
    *,
    task: Task,
    system: ExternalSystem,
    request_type: str,
    direction: str,
    operation: str,
    actor: Actor,
    text: str = "",
    moved_from: str = "",
    note: Note | None = None,
    attachment: Attachment | None = None,
) -> dict[str, Any]:
    """Everything that templates may use, as strings, numbers, None, lists and dicts.

    `task.external_reference`, `process` and the file's content are added when a step is rendered: the first may come
    later, the last is large.
    """
    ticket = task.ticket
    contact = ticket.contact
    assigned = ticket.members.filter(role=MemberRole.ASSIGNED, ended_at=None).select_related("user").first()
    message = note or attachment
    kind = "note" if note else "file"
    return {
        "event": {
            "request_type": request_type,
            "direction": str(direction),
            "operation": operation,
            "text": text,
            "moved_from": moved_from,
            "author": message.author_name if message else actor.name,
            "visibility": str(message.visibility) if message else "public",
            "message_id": f"{kind}-{message.pk}" if message else "",
            "written_at": _iso(note.written_at if note else timezone.now()),
            "at": timezone.now().isoformat(),
            "actor": actor.name,
        },
        "task": {
            "number": task.number,
            "title": task.title,
            "description": task.description,
            "phase": str(task.phase),
            "group": _coded(task.group),
            "assignee": task.assignee.get_full_name() or task.assignee.get_username() if task.assignee else "",
            "solution": task.solution,
            "completion_code": str(task.completion_code),
            "expected_resolution_at": _iso(task.expected_resolution_at),
            "created_at": _iso(task.created_at),
        },
        "ticket": {
            "number": ticket.number,
            "title": ticket.title,
            "description": ticket.description,
            "status": {"code": int(ticket.status), "name": str(TicketStatus(ticket.status).label)},
            "priority": {
                "code": ticket.priority.code,
                "name": ticket.priority.name,
                "rank": ticket.priority.rank,
            },
            "category": _coded(ticket.category),
            "queue": _coded(ticket.queue),
            "contact": {
                "id": contact.pk if contact else None,
                "name": contact.name if contact else "",
                "email": contact.email if contact else "",
                "login": login_told(contact, system.pk) if contact else "",
                "phone": contact.phone if contact else "",
                "organisation": contact.organisation.name if contact and contact.organisation else "",
            },
            "own_status": _coded(ticket.own_status),
            "assigned_user": assigned.person if assigned else "",
            "deadline_at": _iso(ticket.deadline_at),
            "on_hold_until": _iso(ticket.on_hold_until),
            "tags": [tag.name for tag in ticket.tags.all()],
            "properties": properties_of(ticket),
            "created_at": _iso(ticket.created_at),
            "notes": [
                {"id": n.pk, "text": n.body, "author": n.author_name, "at": _iso(n.written_at)}
                for n in reversed(notes_a_desk_may_read(task, system).order_by("-id")[:NOTES_IN_SNAPSHOT])
            ],
        },
        "attachment": {
            "id": attachment.pk if attachment else None,
            "name": attachment.name if attachment else None,
            "content_type": attachment.content_type if attachment else None,
            "size": attachment.size if attachment else None,
            "sha256": attachment.sha256 if attachment else None,
        },
        "system": {"code": system.code, "name": system.name, "settings": system.settings},
        "portal": {"url": settings.PORTAL_URL},
    }


def properties_of(ticket: Ticket) -> dict[str, Any]:
    """Every active property by its code, None where the ticket has none: templates may name them all."""
    held = {row.definition_id: row.value for row in ticket.property_values.all()}
    return {row.code: row.typed(held.get(row.pk, "")) for row in PropertyDefinition.objects.filter(active=True)}


def current_reference(task_id: int, system_id: int) -> str:
    """The other desk's number for the task as of now; empty if there is none yet."""
    return (
        ExternalReference.objects.filter(task_id=task_id, system_id=system_id).values_list("value", flat=True).first()
        or ""
    )


def numbers_there(task_id: int, system_id: int) -> dict[str, str]:
    """How the other desk names the task as of now: its number, and its internal id, which is the number unless it is
    known to be another. Empty where there is none yet."""
    row = ExternalReference.objects.filter(task_id=task_id, system_id=system_id).first()
    value = row.value if row else ""
    return {"external_reference": value, "external_id": row.external_id or value if row else ""}


def contact_there(contact_id: int | None, system_id: int) -> str:
    """By what the other desk knows the contact as of now; empty if it does not, or where there is no contact."""
    if contact_id is None:
        return ""
    known = ContactReference.objects.filter(system_id=system_id, contact_id=contact_id)
    return known.values_list("value", flat=True).first() or ""


def login_told(contact: Contact, system_id: int) -> str:
    """The contact's directory login, as this desk is told it: none of somebody whom another desk has made here, and
    who does not sign in here. That desk may have given any name, and who has it at this one is another person."""
    made = ContactReference.objects.filter(contact=contact, made_by_them=True).exclude(system=system_id)
    return "" if contact.login and contact.user_id is None and made.exists() else contact.login


def _coded(record: Category | Queue | Any | None) -> dict[str, str | None]:
    return {"code": record.code if record else None, "name": record.name if record else None}


def _iso(moment: Any) -> str | None:
    return moment.isoformat() if moment else None
