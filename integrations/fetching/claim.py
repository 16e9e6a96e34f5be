"""One worker reads a mailbox at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from integrations.engine import visits
from integrations.engine.streams import enqueue
from integrations.models import ExternalSystem, Mailbox

# The Celery task that reads one mailbox, in `integrations.tasks`.
FETCH = "integrations.tasks.fetch_mail"


@dataclass(frozen=True)
class Claim:
    """A mailbox held by this worker, with the settings as they were when it was taken."""

    mailbox: Mailbox
    token: int


def read_by_workers() -> QuerySet[Mailbox]:
    """The mailboxes to which workers come. What is for a desk that is switched off waits."""
    switched_on = Q(system=None) | Q(system_id__in=ExternalSystem.objects.filter(active=True).values("pk"))
    return Mailbox.objects.filter(switched_on, active=True).exclude(host="")


def due(now: datetime) -> QuerySet[Mailbox]:
    """The mailboxes that are to be read now and that no worker has."""
    wanted = Q(due_at=None) | Q(due_at__lte=now)
    return read_by_workers().filter(visits.free(now), wanted).order_by("due_at")


@transaction.atomic
def take(mailbox_id: int) -> Claim | None:
    """Claim the mailbox; None when another worker has it, it is not due, or it is switched off."""
    now = timezone.now()
    if not visits.take(due(now), mailbox_id, now):
        return None
    related = ("system", "token_system", "failover_contact", "queue", "category")
    mailbox = Mailbox.objects.select_related(*related).get(pk=mailbox_id)
    return Claim(mailbox=mailbox, token=mailbox.token)


def renew(claim: Claim) -> None:
    """Prolong the lease; before each command and each mail. Raises `ClaimLost`."""
    visits.renew(claim.mailbox, claim.token)


def record(claim: Claim, **values: Any) -> None:
    """Write columns of the row, if it is still this worker's. Raises `ClaimLost`."""
    visits.record(claim.mailbox, claim.token, **values)


def fetch_now(mailbox: Mailbox) -> None:
    """Let a worker read the mailbox as soon as one is free."""
    Mailbox.objects.filter(pk=mailbox.pk).update(due_at=timezone.now())
    mailbox_id = mailbox.pk
    transaction.on_commit(lambda: enqueue(mailbox_id, task=FETCH), robust=True)
