"""Cases as ITX callers read them, with the document's names: a fixed number of queries for any number of cases."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any, Final

from django.conf import settings
from django.db.models import Prefetch, Q, QuerySet

from integrations.inbound.itx.incoming import CASE_TYPE, CORPORATION
from integrations.models import ExternalReference, ExternalSystem
from integrations.visibility import attachments_read_of, notes_read_of, tasks_visible_to, tickets_visible_to
from tickets.events import EventName
from tickets.lifecycle import TicketStatus
from tickets.models import (
    Attachment,
    Category,
    Contact,
    History,
    Link,
    LinkKind,
    Member,
    Note,
    OwnStatus,
    Priority,
    PropertyValue,
    Queue,
    Task,
    Ticket,
)

# What a case holds only when it is asked for: the parameter -> the attribute.
PARTS: Final = {
    "getMembers": "members",
    "getLinks": "links",
    "getComments": "texts",
    "getLogs": "logs",
    "getFiles": "coreFileReferences",
}
# Of the history: the ticket's own, and that of the caller's tasks.
LOGGED: Final = ("status", "own_status", "assigned_user")
LOGGED_OF_TASKS: Final = ("group", "phase")
LOG_NAMES: Final = {"own_status": "emsStatus", "assigned_user": "assignedUser"}

Row = dict[str, Any]


def cases(tickets: QuerySet[Ticket], system: ExternalSystem, *, parts: Collection[str] = ()) -> list[Row]:
    """The cases, in the order of `tickets`. `parts` are attributes of `PARTS`."""
    found = list(
        tickets.select_related(
            "contact", "category", "priority", "queue", "own_status", "last_open_status"
        ).prefetch_related("tags", Prefetch("property_values", PropertyValue.objects.select_related("definition")))
    )
    if not found:
        return []
    tasks = list(tasks_visible_to(system).filter(ticket__in=found).order_by("pk"))
    # That of the first task which has one.
    references = ExternalReference.objects.filter(system=system, task__in=tasks).order_by("-task")
    external = dict(references.values_list("task__ticket_id", "value"))
    creators = History.objects.filter(ticket__in=found, event=EventName.TICKET_CREATED).order_by("-pk")
    creator = {row.ticket_id: {"userId": row.author_id, "name": row.author_name} for row in creators}
    rows = [_case(ticket, external.get(ticket.pk, ""), creator.get(ticket.pk)) for ticket in found]
    for part in parts:
        held = PART_ROWS[part](found, tasks, system)
        for row in rows:
            row[part] = held[row["eactId"]]
    return rows


def _case(ticket: Ticket, external: str, creator: Row | None) -> Row:
    return {
        "eactId": ticket.pk,
        "seqNo": int(ticket.number),
        "externalId": external,
        "activityType": CASE_TYPE,
        "corporation": {"corpId": CORPORATION},
        "description": ticket.title,
        "details": ticket.description,
        "status": ticket.status,
        "emsStatus": own_status(ticket.own_status),
        "emsStatusLastOpen": own_status(ticket.last_open_status),
        "emsStatusChangeTs": moment(ticket.status_changed_at),
        "creationTs": moment(ticket.created_at),
        "updateTs": moment(ticket.updated_at),
        "internalUpdateTs": moment(ticket.internal_update_at),
        "externalUpdateTs": moment(ticket.external_update_at),
        "changedTs": moment(ticket.listed_at),
        "deadlineTs": moment(ticket.deadline_at),
        "onHoldToTs": moment(ticket.on_hold_until),
        "onHoldComment": ticket.on_hold_comment,
        "creator": creator,
        "entityExtension": contact(ticket.contact) if ticket.contact else None,
        "category": category(ticket.category) if ticket.category else None,
        "priority": priority(ticket.priority),
        "queue": queue(ticket.queue) if ticket.queue else None,
        "emsTags": [{"emtaId": tag.pk, "name": tag.name} for tag in ticket.tags.all()],
        "propValues": [
            {
                "code": value.definition.code,
                "name": value.definition.name,
                "type": value.definition.kind,
                "value": value.definition.typed(value.value),
            }
            for value in ticket.property_values.all()
        ],
    }


def moment(value: dt.datetime | None) -> str | None:
    """ISO 8601 in UTC, to the microsecond: it can be given back as a filter."""
    return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z") if value else None


def contact(row: Contact) -> Row:
    """A contact."""
    return {"eeexId": row.pk, "name": row.name, "email": row.email}


def category(row: Category) -> Row:
    """A category."""
    return {"ctnoId": row.pk, "name": row.name}


def priority(row: Priority) -> Row:
    """A priority."""
    return {"emprId": row.pk, "name": row.name}


def queue(row: Queue) -> Row:
    """A queue."""
    return {"ucquId": row.pk, "name": row.name}


def own_status(row: OwnStatus) -> Row:
    """An own status, with the fixed one that says how a case behaves."""
    return {"emstId": row.pk, "name": row.name, "internalStatus": row.status}


def categories() -> list[Row]:
    """All categories, each with the one that it stands below."""
    return [
        {**category(row), "code": row.code, "parent": {"ctnoId": row.parent_id} if row.parent_id else None}
        for row in Category.objects.order_by("pk")
    ]


def priorities() -> list[Row]:
    """All priorities, the most urgent first."""
    rows = Priority.objects.order_by("rank")
    return [{**priority(row), "code": row.code, "rank": row.rank, "default": row.is_default} for row in rows]


def queues() -> list[Row]:
    """All queues."""
    return [{**queue(row), "code": row.code} for row in Queue.objects.order_by("pk")]


def statuses() -> list[Row]:
    """All own statuses. Each fixed one has a default, also where nobody has needed it yet."""
    there = set(OwnStatus.objects.filter(is_default=True).values_list("status", flat=True))
    for status in set(TicketStatus.values) - there:
        OwnStatus.default_of(status)
    rows = OwnStatus.objects.order_by("status", "-is_default", "pk")
    return [{**own_status(row), "code": row.code, "default": row.is_default} for row in rows]


def state() -> Row:
    """Where calls are to be sent: what the document puts between `https://` and `/rest`."""
    return {"state": "active", "endpoint": settings.PORTAL_URL.partition("://")[2], "url": settings.PORTAL_URL}


def _by_case(rows: Iterable[tuple[int, Row]]) -> dict[int, list[Row]]:
    found: dict[int, list[Row]] = defaultdict(list)
    for ticket_id, row in rows:
        found[ticket_id].append(row)
    return found


def _members(tickets: list[Ticket], tasks: list[Task], system: ExternalSystem) -> dict[int, list[Row]]:
    """Everybody who has, or had, to do with it."""

    def row(member: Member) -> Row:
        user = member.user
        return {
            "id": member.pk,
            "role": member.role,
            "user": {"userId": user.pk, "name": user.get_full_name() or user.get_username()} if user else None,
            "contact": contact(member.contact) if member.contact else None,
            "startTs": moment(member.started_at),
            "endTs": moment(member.ended_at),
        }

    members = Member.objects.filter(ticket__in=tickets).select_related("user", "contact").order_by("pk")
    return _by_case((member.ticket_id, row(member)) for member in members)


def _links(tickets: list[Ticket], tasks: list[Task], system: ExternalSystem) -> dict[int, list[Row]]:
    """Links in both directions, to cases that the caller may see."""
    ids = {ticket.pk for ticket in tickets}
    links = Link.objects.filter(Q(ticket__in=ids) | Q(other__in=ids)).select_related("ticket", "other").order_by("pk")
    ends = {end for link in links for end in (link.ticket_id, link.other_id)} - ids
    visible = ids | set(tickets_visible_to(system).filter(pk__in=ends).values_list("pk", flat=True))
    # How the other one belongs to this one, seen from either end.
    reverse = {LinkKind.SUB_CASE: "parent", LinkKind.MERGED: "merged_from", LinkKind.RELATED: LinkKind.RELATED}
    found = []
    for link in links:
        for here, there, kind in (
            (link.ticket_id, link.other, link.kind),
            (link.other_id, link.ticket, reverse[LinkKind(link.kind)]),
        ):
            if here in ids and there.pk in visible:
                case = {"eactId": there.pk, "seqNo": int(there.number), "description": there.title}
                found.append((here, {"id": link.pk, "type": str(kind), "activity": case}))
    return _by_case(found)


def _texts(tickets: list[Ticket], tasks: list[Task], system: ExternalSystem) -> dict[int, list[Row]]:
    """What the caller was sent and what it wrote."""

    def row(note: Note) -> Row:
        return {
            "id": note.pk,
            "text": note.body,
            "visibility": note.visibility,
            "creationTs": moment(note.created_at),
            "creator": {"userId": note.author_id, "name": note.author_name},
        }

    return _by_case((note.ticket_id, row(note)) for note in notes_read_of(tasks, system).order_by("pk"))


def _logs(tickets: list[Ticket], tasks: list[Task], system: ExternalSystem) -> dict[int, list[Row]]:
    """Changes of the status and of who works on it; of the tasks only the caller's own."""

    def row(entry: History) -> Row:
        return {
            "id": entry.pk,
            "attribute": LOG_NAMES.get(entry.field, entry.field),
            "oldValue": entry.old,
            "newValue": entry.new,
            "ts": moment(entry.created_at),
            "user": {"userId": entry.author_id, "name": entry.author_name},
        }

    entries = History.objects.filter(ticket__in=tickets).filter(
        Q(task=None, field__in=LOGGED) | Q(task__in=tasks, field__in=LOGGED_OF_TASKS)
    )
    return _by_case((entry.ticket_id, row(entry)) for entry in entries.order_by("pk"))


def _files(tickets: list[Ticket], tasks: list[Task], system: ExternalSystem) -> dict[int, list[Row]]:
    """Files that the caller was sent and those that it sent; their content by `GET /rest/core/corefile?id=`."""

    def row(file: Attachment) -> Row:
        return {
            "id": file.pk,
            "name": file.name,
            "contentType": file.content_type,
            "size": file.size,
            "creationTs": moment(file.created_at),
            "creator": {"userId": file.author_id, "name": file.author_name},
        }

    return _by_case((file.ticket_id, row(file)) for file in attachments_read_of(tasks, system).order_by("pk"))


PART_ROWS: Final = {
    "members": _members,
    "links": _links,
    "texts": _texts,
    "logs": _logs,
    "coreFileReferences": _files,
}
