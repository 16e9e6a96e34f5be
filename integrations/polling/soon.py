"""Look at one ticket of another desk now: a durable mark, and a worker that is told. Wanted twice, done once."""

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations.engine.streams import enqueue
from integrations.models import ExternalReference, ExternalSystem, Polling, PollingKind, TheirTicket
from integrations.polling.claim import POLL, ask_now
from tickets.models import Task


def fetch_soon(system: ExternalSystem, *, reference: str = "", external_id: str = "") -> bool:
    """Have the ticket with this number, or internal id, looked at as soon as a worker is free.

    For whoever learns that something has changed there, and not what. Also where the desk is not polled otherwise.
    False where there is no such ticket of this desk here; a desk whose unknown tickets become new ones is then polled
    at once.
    """
    names = Q(value=reference) if reference else Q(pk__in=[])
    names |= Q(external_id=external_id) if external_id else Q(pk__in=[])
    row = ExternalReference.objects.filter(names, system=system).first()
    if row is not None:
        want(row)
        return True
    polling = Polling.objects.filter(system=system, active=True, kind=PollingKind.OPERATIONS).first()
    if polling is not None and polling.creates_tickets:
        ask_now(polling)
    return False


@transaction.atomic
def want(reference: ExternalReference) -> None:
    """Mark the ticket, and tell the workers on commit. In the caller's transaction, if there is one."""
    now = timezone.now()
    TheirTicket.objects.update_or_create(reference=reference, defaults={"wanted_at": now})
    polling, _created = Polling.objects.get_or_create(
        system_id=reference.system_id, defaults={"kind": PollingKind.OPERATIONS, "active": False}
    )
    # Counted, so that a worker who is at it cannot take the mark away without having seen this.
    Polling.objects.filter(pk=polling.pk).update(asked_at=now, asked=F("asked") + 1)
    polling_id = polling.pk
    transaction.on_commit(lambda: enqueue(polling_id, task=POLL), robust=True)


def look_after_sending(task: Task, system: ExternalSystem) -> None:
    """What became of a request that was sent: seen at once, where the desk is polled by operations and its
    administrator wants that. In the caller's transaction."""
    wanted = {"active": True, "kind": PollingKind.OPERATIONS, "looks_after_sending": True}
    if Polling.objects.filter(system=system, **wanted).exists():
        row = ExternalReference.objects.filter(task=task, system=system).first()
        if row is not None:
            want(row)


def compare(task: Task, system: ExternalSystem, *, priority: str, category: str) -> None:
    """A desk whose values are synchronised with ours names other ones than ours: a look at its ticket tells what was
    changed where, and who wins. In the caller's transaction."""
    ticket = task.ticket
    differs = (priority and priority != ticket.priority.code) or (
        category and category != (ticket.category.code if ticket.category else "")
    )
    if differs:
        row = ExternalReference.objects.filter(task=task, system=system).first()
        if row is not None:
            want(row)
