"""One worker polls a desk at a time."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from integrations.engine import visits
from integrations.engine.claim import ClaimLost
from integrations.engine.streams import enqueue
from integrations.models import ExternalSystem, Polling

# The Celery task that polls one desk, in `integrations.tasks`.
POLL = "integrations.tasks.poll"


@dataclass(frozen=True)
class Claim:
    """A desk held by this worker, with the settings as they were when it was taken. `listed`: its time has come, so
    that it is asked for all that is new, and not only for what somebody wants to be looked at."""

    polling: Polling
    token: int
    listed: bool = True

    @property
    def system(self) -> ExternalSystem:
        """The desk."""
        return self.polling.system


def due(now: datetime) -> QuerySet[Polling]:
    """The desks that are to be asked now and that no worker has: at their interval, or for a ticket that somebody
    wants to be looked at, which is done also where polling is switched off."""
    switched_on = ExternalSystem.objects.filter(active=True).values("pk")
    wanted = Q(active=True) & (Q(due_at=None) | Q(due_at__lte=now)) | Q(asked_at__lte=now)
    return Polling.objects.filter(visits.free(now), wanted, system_id__in=switched_on).order_by("due_at")


@transaction.atomic
def take(polling_id: int) -> Claim | None:
    """Claim the desk; None when another worker has it, it is not due, or it is switched off."""
    now = timezone.now()
    if not visits.take(due(now), polling_id, now):
        return None
    polling = Polling.objects.select_related("system__auth_login").get(pk=polling_id)
    listed = polling.active and (polling.due_at is None or polling.due_at <= now)
    return Claim(polling=polling, token=polling.token, listed=listed)


def renew(claim: Claim) -> None:
    """Prolong the lease; before each request and each entry. Raises `ClaimLost`, also where the system was switched
    off meanwhile: then it is asked no more."""
    if not ExternalSystem.objects.filter(pk=claim.polling.system_id, active=True).exists():
        # Released, so that it goes on at once when it is switched on again.
        record(claim, lease_until=None)
        raise ClaimLost
    visits.renew(claim.polling, claim.token)


def record(claim: Claim, **values: Any) -> None:
    """Write columns of the row, if it is still this worker's. Raises `ClaimLost`."""
    visits.record(claim.polling, claim.token, **values)


def ask_now(polling: Polling) -> None:
    """Let a worker poll the desk as soon as one is free."""
    Polling.objects.filter(pk=polling.pk).update(due_at=timezone.now())
    polling_id = polling.pk
    transaction.on_commit(lambda: enqueue(polling_id, task=POLL), robust=True)


def read_again_from(polling: Polling, cursor: int) -> None:
    """Move the cursor by hand. A poll that is under way loses its claim, so that it cannot move it back."""
    Polling.objects.filter(pk=polling.pk).update(
        cursor=cursor, ahead=cursor, round={}, token=F("token") + 1, lease_until=None, due_at=timezone.now()
    )
