"""What Celery runs for the desk itself."""

from celery import shared_task
from django.utils import timezone

from tickets.actions import release_hold
from tickets.models import Ticket

AT_ONCE = 500


@shared_task(name="tickets.tasks.release_holds")
def release_holds() -> int:
    """Return tickets whose hold is over to their last open status; returns how many were due."""
    due = Ticket.objects.filter(on_hold_until__lte=timezone.now()).order_by("on_hold_until")[:AT_ONCE]
    for ticket in due:
        release_hold(ticket=ticket)
    return len(due)
