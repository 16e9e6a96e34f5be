"""The step that waits until a task is done, for days if need be."""

from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.claim import hold
from integrations.engine.rendering import context_for
from integrations.engine.steps.base import Execution
from integrations.models import ProcessRun, RunState, StepState
from integrations.templating import Escape, TemplateFailed, render
from tickets.actions.record import lock_task
from tickets.errors import InvalidInput
from tickets.lifecycle import Phase
from tickets.models import Task


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
            parked = results.Result(StepState.READY, RunState.PARKED, _("Waits until a task is done."))
            results.write(run, execution.step, results.done() if over else parked)
    except (TemplateFailed, InvalidInput) as problem:
        execution.record(results.attention(str(problem)))


def is_over(run: ProcessRun, definition: dict[str, Any]) -> bool:
    """Whether the task that the step names, or every other task of the ticket, is closed."""
    others = Task.objects.filter(ticket_id=run.stream.task.ticket_id).exclude(pk=run.stream.task_id)
    source = definition["wait_for"].strip()
    if not source:
        return not others.exclude(phase=Phase.CLOSE).exists()
    number = render(source, context_for(run), escape=Escape.TEXT, fields=placeholders()).strip()
    task = others.filter(number=number).first()
    if task is None:
        raise InvalidInput(
            _('The step waits for the task "%(number)s", but this ticket has no such other task.')
            % {"number": number}
        )
    return task.is_closed
