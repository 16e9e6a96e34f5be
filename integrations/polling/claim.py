"""One worker polls a desk at a time: a conditional UPDATE, a lease and a fencing token, as for streams."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.engine.claim import ClaimLost, lease
from integrations.engine.streams import enqueue
from integrations.models import ExternalSystem, Polling

# The Celery task that polls one desk, in `integrations.tasks`.
POLL = "integrations.tasks.poll"


@dataclass(frozen=True)
class Claim:
    """A desk held by this worker, with the settings as they were when it was taken."""

    polling: Polling
    token: int

    @property
    def system(self) -> ExternalSystem:
        """The desk."""
        return self.polling.system


def due(now: datetime) -> QuerySet[Polling]:
    """The desks that are to be asked now and that no worker has."""
    free = Q(lease_until=None) | Q(lease_until__lt=now)
    switched_on = ExternalSystem.objects.filter(active=True).values("pk")
    wanted = Q(due_at=None) | Q(due_at__lte=now)
    return Polling.objects.filter(free, wanted, active=True, system_id__in=switched_on).order_by("due_at")


@transaction.atomic
def take(polling_id: int) -> Claim | None:
    """Claim the desk; None when another worker has it, it is not due, or it is switched off.

    Each condition is on columns of the row itself, which PostgreSQL looks at again after it has waited for the row:
    a second message for the same poll comes too late and finds it done.
    """
    now = timezone.now()
    if not due(now).filter(pk=polling_id).order_by().update(token=F("token") + 1, lease_until=now + lease()):
        return None
    polling = Polling.objects.select_related("system__auth_login").get(pk=polling_id)
    return Claim(polling=polling, token=polling.token)


def renew(claim: Claim) -> None:
    """Prolong the lease; before each request and each entry. Raises `ClaimLost`."""
    now = timezone.now()
    held = Polling.objects.filter(pk=claim.polling.pk, token=claim.token, lease_until__gt=now)
    if not held.update(lease_until=now + lease()):
        raise ClaimLost


def record(claim: Claim, **values: Any) -> None:
    """Write columns of the row, if it is still this worker's. Raises `ClaimLost`."""
    if not Polling.objects.filter(pk=claim.polling.pk, token=claim.token).update(**values):
        raise ClaimLost


def ask_now(polling: Polling) -> None:
    """Let a worker poll the desk as soon as one is free."""
    Polling.objects.filter(pk=polling.pk).update(due_at=timezone.now())
    polling_id = polling.pk
    transaction.on_commit(lambda: enqueue(polling_id, task=POLL), robust=True)


def read_again_from(polling: Polling, cursor: int) -> None:
    """Move the cursor by hand. A poll that is under way loses its claim, so that it cannot move it back."""
    Polling.objects.filter(pk=polling.pk).update(
        cursor=cursor, token=F("token") + 1, lease_until=None, due_at=timezone.now()
    )
