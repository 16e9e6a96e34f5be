"""Claiming a stream: a conditional UPDATE, a lease and a fencing token.

A worker that lost its lease (it slept, it was cut off) finds at its next send or record that the token moved on, and
stops without a trace; whoever took over sees in the database how far the work was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from integrations.models import ExternalSystem, Stream


class ClaimLost(Exception):
    """Another worker has the stream: stop at once and record nothing."""


@dataclass
class Claim:
    """A stream held by this worker. `wake` is the counter as this worker has last read it."""

    stream_id: int
    token: int
    wake: int


@transaction.atomic
def take(stream_id: int) -> Claim | None:
    """Claim the stream; None when another worker has it or its system is switched off.

    Each condition is on a column of the stream itself. With a join Django puts them into a subquery, which PostgreSQL
    does not look at again after waiting for the row: two workers would both get it.
    """
    now = timezone.now()
    taken = (
        Stream.objects.filter(pk=stream_id, system_id__in=ExternalSystem.objects.filter(active=True).values("pk"))
        .filter(Q(lease_until=None) | Q(lease_until__lt=now))
        .update(token=F("token") + 1, lease_until=now + lease())
    )
    if not taken:
        return None
    token, wake = Stream.objects.values_list("token", "wake").get(pk=stream_id)
    return Claim(stream_id=stream_id, token=token, wake=wake)


def renew(claim: Claim) -> None:
    """Prolong the lease; before each send, so that the send's deadline ends before the lease does."""
    held = Stream.objects.filter(pk=claim.stream_id, token=claim.token, lease_until__gt=timezone.now()).update(
        lease_until=timezone.now() + lease()
    )
    if not held:
        raise ClaimLost


@contextmanager
def recording(claim: Claim) -> Iterator[Stream]:
    """A transaction in which this worker's results are written, with the stream locked and the token checked.

    What an action changes (ticket first, then stream: the order of every other transaction) is done before `hold`;
    so the lock is taken by calling it last where actions are involved.
    """
    with transaction.atomic():
        yield hold(claim)


def hold(claim: Claim) -> Stream:
    """The stream, locked until the transaction ends; `ClaimLost`, and so a rollback, if it is another's by now."""
    stream = (
        Stream.objects.select_for_update(of=("self",), no_key=True)
        .select_related("system", "task")
        .get(pk=claim.stream_id)
    )
    if stream.token != claim.token:
        raise ClaimLost
    return stream


def let_go(claim: Claim, *, due_at: datetime | None) -> bool:
    """Release the stream until `due_at` (None: until something wakes it). False if something was added meanwhile:
    the worker has to look again."""
    released = Stream.objects.filter(pk=claim.stream_id, token=claim.token, wake=claim.wake).update(
        lease_until=None, due_at=due_at
    )
    if released:
        return True
    current = Stream.objects.filter(pk=claim.stream_id, token=claim.token).values_list("wake", flat=True).first()
    if current is None:
        raise ClaimLost
    claim.wake = current
    return False


def lease() -> timedelta:
    """How long a claim lasts without being renewed."""
    return timedelta(seconds=settings.LEASE_SECONDS)


def longest_send(deadline: float) -> float:
    """Seconds that one send may take: the system's deadline, but always well within the lease."""
    return min(deadline, settings.LEASE_SECONDS * 0.75)
