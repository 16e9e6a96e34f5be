"""Requests of both sides that cross on the way: a solution and the request to go on working, for example.

What a desk says is done here, also where a request of ours is on its way that says something else. Afterwards both
sides have to end alike.
"""

from datetime import timedelta
from typing import Final

from django.utils import timezone

from integrations import triggers
from integrations.levels import SYNCHRONISED
from integrations.models import ENDED, Direction, ExternalReference, ExternalSystem, ProcessRun, TheirTicket
from integrations.polling.soon import want
from integrations.polling.values import MOVES, STATUS, THEIR_STATUS
from integrations.visibility import asked_for
from tickets.models import Task

# What we have sent within this time may have arrived after they wrote what comes from them now.
LATE: Final = timedelta(minutes=10)


def moved_by_them(task: Task, system: ExternalSystem) -> None:
    """The desk has moved the task; in the caller's transaction.

    Where older requests of ours are still on their way, which will undo it there, the desk is told once more behind
    them. Only by the side that asked for the work: if both did so, they could go on for ever. Where a request of ours
    has arrived a short while ago, a look at their ticket tells whether it or what they said came last.
    """
    if system.level not in SYNCHRONISED:
        return
    sent = ProcessRun.objects.filter(
        stream__task=task,
        stream__system=system,
        stream__subscription=None,
        direction=Direction.OUT,
        operation__in=MOVES,
        note=None,
        attachment=None,
    )
    last = sent.exclude(state__in=ENDED).order_by("position").last()
    if last is not None and not _says(last, task) and not asked_for(task, system):
        triggers.tell_again(task, system, status=True, facts=False)
    elif sent.filter(state__in=ENDED, finished_at__gte=timezone.now() - LATE).exists():
        _look(task, system)


def _says(run: ProcessRun, task: Task) -> bool:
    """Whether that run tells them of the task as it is."""
    then = run.snapshot["task"]
    return (then["phase"], then["solution"]) == (task.phase, task.solution)


def _look(task: Task, system: ExternalSystem) -> None:
    """Have their ticket looked at. By what they have just said, its status is that of our task: another one is a
    change."""
    reference = ExternalReference.objects.filter(task=task, system=system).first()
    if reference is None:
        return
    want(reference)
    seen = TheirTicket.objects.select_for_update(no_key=True).get(reference=reference)
    seen.values.pop(STATUS, None)
    seen.ours[THEIR_STATUS] = str(task.phase)
    seen.save(update_fields=["values", "ours"])
