"""Lists of what changed since a moment, without a gap.

A transaction that commits late has an early time: who has asked in between would never see it. So a change gets the
moment by which it is listed not when it is made but when it is first looked for, among what is committed by then.
"""

from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from tickets.models import ListingClock, Ticket

MOST_AT_ONCE = 1000


def list_changes() -> None:
    """Give every committed change its moment (`Ticket.listed_at`); to be called before such a list is read.

    Moments rise: later ones than any that was given before, whatever the machine's clock does. Whoever asks again
    from the last moment they saw misses nothing. A ticket that somebody is changing just now gets its moment next
    time.
    """
    while Ticket.objects.filter(listed_at=None).exists() and _list_some():
        pass


@transaction.atomic
def _list_some() -> bool:
    clock, _created = ListingClock.objects.select_for_update().get_or_create(
        pk=1, defaults={"last": timezone.now() - timedelta(days=1)}
    )
    unlisted = Ticket.objects.filter(listed_at=None).order_by("pk")
    # Not those that an open transaction holds: this must not wait for it.
    found = list(
        unlisted.select_for_update(skip_locked=True, no_key=True).values_list("pk", flat=True)[:MOST_AT_ONCE]
    )
    if not found:
        return False
    clock.last = _later_than(clock.last)
    clock.save(update_fields=["last"])
    Ticket.objects.filter(pk__in=found).update(listed_at=clock.last)
    return len(found) == MOST_AT_ONCE


def _later_than(last: datetime) -> datetime:
    return max(timezone.now(), last + timedelta(milliseconds=1))
