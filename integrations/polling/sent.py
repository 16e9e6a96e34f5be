"""Values that our requests have set at another desk, until a look has shown what became of them."""

from datetime import datetime

from django.db.models import Q

from integrations.models import ENDED, ExternalSystem, SentValue, StepState
from tickets.models import Task


def last_arrived(task: Task, system: ExternalSystem, kind: str, *, before: datetime) -> str | None:
    """The last value of this kind that had arrived there by then; None: none since the last look."""
    done = {"step__state": StepState.DONE, "step__finished_at__lt": before}
    rows = SentValue.objects.filter(task=task, system=system, kind=kind, **done).order_by("-pk")
    return rows.values_list("value", flat=True).first()


def forget_sent(task: Task, system: ExternalSystem, *, before: datetime) -> None:
    """Values that had arrived before a look was made: what it has shown is what became of them. So are those of which
    nothing will come any more, as a person has ended the run."""
    arrived = Q(step__state=StepState.DONE, step__finished_at__lt=before)
    ended = Q(step__run__state__in=ENDED, step__run__finished_at__lt=before)
    SentValue.objects.filter(arrived | ended, task=task, system=system).delete()
