"""The step that waits until a task is done, for days if need be."""

from typing import Any, Final

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.claim import hold
from integrations.engine.rendering import context_for
from integrations.engine.steps.base import Execution
from integrations.models import ENDED, Direction, ProcessRun, RunState, StepState, WaitUntil
from integrations.templating import Escape, TemplateFailed, render
from tickets.actions.record import lock_task
from tickets.errors import InvalidInput
from tickets.lifecycle import Phase
from tickets.models import Task

# So many tasks are named where a run waits.
NAMED: Final = 5


def execute(execution: Execution) -> None:
    """Go on if it is done already; else park the run, which gives up the head of its stream.

    The ticket is locked first, as every action does: so a task cannot be closed unseen between look and park. The
    task is read again under the lock: in a ticket that was merged meanwhile there is no other task to wait for.
    """
    run = execution.run
    try:
        with transaction.atomic():
            run.stream.task = lock_task(run.stream.task)
            over = is_over(run, execution.definition)
            hold(execution.claim)
            results.write(run, execution.step, results.done() if over else _parked(run, execution.definition))
    except (TemplateFailed, InvalidInput) as problem:
        execution.record(results.attention(str(problem)))


def is_over(run: ProcessRun, definition: dict[str, Any]) -> bool:
    """Whether the task that the step names, or every other task of the ticket, is done."""
    return not _undone(run, definition).exists()


def behind_creation(run: ProcessRun) -> results.Result | None:
    """The result for a run that has not begun, where one that is parked, or was, will create the ticket there: what
    was said meanwhile goes after it. None where there is none."""
    others = run.stream.runs.filter(direction=Direction.OUT, steps__isnull=False).exclude(pk=run.pk)
    for other in others.exclude(state__in=ENDED).distinct().select_related("version"):
        if any(step["creates"] for step in other.version.definition["steps"][other.step_index :]):
            reason = _("Waits until the task is created at the other desk. %(why)s") % {"why": other.reason}
            return results.Result(StepState.READY, RunState.PARKED, reason.strip())
    return None


def _parked(run: ProcessRun, definition: dict[str, Any]) -> results.Result:
    numbers = list(_undone(run, definition).order_by("pk").values_list("number", flat=True)[:NAMED])
    reason = _("Waits until a task is done: %(numbers)s.") % {"numbers": ", ".join(numbers)}
    return results.Result(StepState.READY, RunState.PARKED, reason)


def _undone(run: ProcessRun, definition: dict[str, Any]) -> QuerySet[Task]:
    """What is still waited for. `InvalidInput` where the step names a task that is none of the ticket's others."""
    others = Task.objects.filter(ticket_id=run.stream.task.ticket_id).exclude(pk=run.stream.task_id)
    # Processes that were pinned before there was this choice do not have it.
    solved = definition.get("wait_until") == WaitUntil.SOLVED
    undone = others.exclude(phase__in=(Phase.REVIEW, Phase.CLOSE) if solved else (Phase.CLOSE,))
    source = definition["wait_for"].strip()
    if not source:
        return undone
    number = render(source, context_for(run), escape=Escape.TEXT, fields=placeholders()).strip()
    if not others.filter(number=number).exists():
        raise InvalidInput(
            _('The step waits for the task "%(number)s", but this ticket has no such other task.')
            % {"number": number}
        )
    return undone.filter(number=number)
