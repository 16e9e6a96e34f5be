"""Steps that change our own ticket: the change and its record are one transaction, so it happens exactly once."""

from collections.abc import Callable

from django.db import transaction

from integrations.engine import results
from integrations.engine.claim import hold
from integrations.engine.steps.base import Execution
from integrations.templating import TemplateFailed
from tickets.actions.record import lock_task
from tickets.errors import ActionRefused


def change(execution: Execution, action: Callable[[], results.Result]) -> None:
    """Do the action and record its result. The action comes first, as actions lock the ticket before any stream.

    The task is read again under that lock: its ticket may have been merged since the run was taken up.
    """
    stream = execution.run.stream
    try:
        with transaction.atomic():
            stream.task = lock_task(stream.task)
            result = action()
            hold(execution.claim)
            results.write(execution.run, execution.step, result)
    except (TemplateFailed, ActionRefused) as problem:
        execution.record(results.attention(str(problem)))
