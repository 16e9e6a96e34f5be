"""The rows that a desk reads, with everything that their representation needs: a fixed number of queries."""

from django.db.models import Prefetch, QuerySet
from django.db.models.functions import Coalesce

from integrations.models import Exchange, ExternalReference, ExternalSystem
from integrations.visibility import attachments_read_by, notes_read_by, tasks_visible_to
from tickets.models import Attachment, Note, Task, Ticket


def tasks_read_by(system: ExternalSystem) -> QuerySet[Task]:
    """Tasks with ticket and this system's reference. `modified_at` is that of the ticket, its conversation included.

    Call `tickets.actions.listing.list_changes` first where somebody asks what changed since a moment.
    """
    references = ExternalReference.objects.filter(system=system)
    return (
        tasks_visible_to(system)
        .select_related("group", "ticket__contact", "ticket__priority", "ticket__category", "ticket__queue")
        .select_related("ticket__own_status")
        .prefetch_related("ticket__tags", "ticket__property_values__definition")
        .prefetch_related(Prefetch("external_references", references, to_attr="references_here"))
        .annotate(modified_at=Coalesce("ticket__listed_at", "ticket__updated_at"))
        .order_by("id")
    )


def tickets_read_by(system: ExternalSystem) -> QuerySet[Ticket]:
    """Tickets of these tasks; of their tasks only these."""
    return (
        Ticket.objects.filter(pk__in=tasks_visible_to(system).values("ticket_id"))
        .select_related("contact", "priority", "category", "queue", "own_status")
        .prefetch_related("tags", "property_values__definition")
        .prefetch_related(Prefetch("tasks", tasks_read_by(system), to_attr="tasks_here"))
        .order_by("id")
    )


def updates_read_by(task: Task, system: ExternalSystem) -> QuerySet[Note]:
    """The conversation as this desk knows it."""
    files = attachments_read_by(task, system)
    return (
        notes_read_by(task, system)
        .prefetch_related(Prefetch("attachments", files, to_attr="attachments_here"))
        .order_by("id")
    )


def files_read_by(task: Task, system: ExternalSystem) -> QuerySet[Attachment]:
    """Files that this desk knows."""
    return attachments_read_by(task, system).order_by("id")


def exchanges_read_by(system: ExternalSystem) -> QuerySet[Exchange]:
    """This desk's messages and ours to it, newest first, without their bodies."""
    return (
        Exchange.objects.filter(system=system)
        .select_related("task")
        .defer("request_body", "response_body", "request_headers", "response_headers")
        .order_by("-id")
    )
