"""One worker at a time visits a desk or a mailbox: by a conditional UPDATE, a lease and a token, as for streams."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from integrations.engine.claim import ClaimLost, lease
from integrations.models import Visited

# Where it fails, it is visited less and less often, down to once in this time (or in its own interval, if longer).
LONGEST_PAUSE: Final = timedelta(minutes=5)


def free(now: datetime) -> Q:
    """What no worker has."""
    return Q(lease_until=None) | Q(lease_until__lt=now)


def take(due: QuerySet[Any], pk: int, now: datetime) -> bool:
    """Claim the row; False when another worker has it, or it is not among those that are `due`.

    Each condition has to be on columns of the row itself, which PostgreSQL looks at again after it has waited for the
    row: a second message for the same visit comes too late and finds it done.
    """
    return bool(due.filter(pk=pk).order_by().update(token=F("token") + 1, lease_until=now + lease()))


def renew(row: Visited, token: int) -> None:
    """Prolong the lease. Raises `ClaimLost`."""
    now = timezone.now()
    if not _rows(row, token).filter(lease_until__gt=now).update(lease_until=now + lease()):
        raise ClaimLost


def record(row: Visited, token: int, **values: Any) -> None:
    """Write columns of the row, if it is still this worker's. Raises `ClaimLost`."""
    if not _rows(row, token).update(**values):
        raise ClaimLost


def succeeded() -> dict[str, Any]:
    """The columns of a visit that ended well, for `record`: all but when the next one is."""
    now = timezone.now()
    return {"lease_until": None, "last_success_at": now, "failures": 0, "failing_since": None, "last_error": ""}


def failed(row: Visited, reason: str, *, wait: timedelta = timedelta()) -> dict[str, Any]:
    """The columns of a visit that failed, for `record`; the next one is not before `wait` has passed."""
    now = timezone.now()
    return {
        "due_at": now + max(pause(row.interval, row.failures + 1), wait),
        "lease_until": None,
        "failures": F("failures") + 1,
        "failing_since": Coalesce("failing_since", now),
        "last_error": reason,
    }


def pause(interval: timedelta, failures: int) -> timedelta:
    """How long to leave alone what has failed so many times in a row."""
    doubled = interval * 2 ** min(max(failures - 1, 0), 10)
    return max(interval, min(doubled, LONGEST_PAUSE))


def _rows(row: Visited, token: int) -> QuerySet[Any]:
    return type(row)._default_manager.filter(pk=row.pk, token=token)
