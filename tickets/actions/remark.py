"""Write something down in a ticket's history that is no change of the ticket."""

from django.db import transaction

from tickets.actions.record import write_history
from tickets.actors import Actor
from tickets.models import Task, Ticket


@transaction.atomic
def add_remark(*, actor: Actor, ticket: Ticket, text: str, task: Task | None = None) -> None:
    """One history row with a text; publishes nothing. That of a task stands where the task is, though its ticket was
    merged since the caller has read it: a request may have been under way for long."""
    if task is not None:
        ticket = Ticket.objects.get(tasks=task.pk)
    write_history(actor, "remark", ticket=ticket, task=task, text=text)
