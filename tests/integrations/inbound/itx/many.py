"""Ten thousand cases, written past the actions because those take minutes for them."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from tests.integrations.inbound.conftest import Desk
from tickets.actors import ActorKind
from tickets.models import History, Member, MemberRole, Note, OwnStatus, Priority, Task, Ticket
from tickets.models.people import Contact

CASES = 10_000


def many_cases(desk: Desk) -> list[Ticket]:
    """Nine of ten are the desk's; each has a task, its contact, a note of the desk and an entry of its history.

    Their changes were listed one second after the other; the last is a moment old.
    """
    own, priority = OwnStatus.default_of(1), Priority.objects.get(is_default=True)
    contact, _created = Contact.objects.get_or_create(email="ada@example.com", defaults={"name": "Ada Byron"})
    now = timezone.now()
    tickets = Ticket.objects.bulk_create(
        Ticket(
            number=str(100_000 + position),
            title=f"The printer {position} is broken",
            contact=contact,
            priority=priority,
            own_status=own,
            last_open_status=own,
            listed_at=now - timedelta(seconds=CASES - position),
        )
        for position in range(CASES)
    )
    tasks = Task.objects.bulk_create(
        Task(
            number=f"{ticket.number}-1",
            ticket=ticket,
            title=ticket.title,
            group=desk.group if position % 10 else None,
        )
        for position, ticket in enumerate(tickets)
    )
    author: dict[str, Any] = {
        "actor_kind": ActorKind.EXTERNAL,
        "actor_key": desk.system.actor_key,
        "author_name": desk.system.name,
    }
    for model, values in ((Note, {"body": "Hello", "visibility": "public"}), (History, {"event": "ticket_created"})):
        model.objects.bulk_create(model(ticket=task.ticket, task=task, **author, **values) for task in tasks)
    Member.objects.bulk_create(Member(ticket=ticket, role=MemberRole.CONTACT, contact=contact) for ticket in tickets)
    return tickets
