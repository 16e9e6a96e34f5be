"""The step that publishes the event to the feed of a desk that pulls: done when the entry is written.

An entry names the task by our number, so that none needs the other desk's: entries never wait for an acknowledgement,
and a desk that reads the same assignment twice knows it again.
"""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.engine import results
from integrations.engine.claim import hold
from integrations.engine.steps.base import Execution
from integrations.inbound.case_exchange import entities
from integrations.inbound.exchanged_files import offer
from integrations.models import Direction, FeedEntry, Stream

CREATES = "assign"


def execute(execution: Execution) -> None:
    """Write the entry together with the step's record: exactly once."""
    run = execution.run
    if (refusal := _before(execution)) is not None:
        execution.record(refusal)
        return
    with transaction.atomic():
        stream = hold(execution.claim)
        file = offer(system=stream.system, attachment=run.attachment) if run.attachment else None
        FeedEntry.objects.create(
            system=stream.system,
            task=stream.task,
            run=run,
            step=execution.step,
            operation=run.operation,
            content=entities.of_event(execution.context, file=entities.described(file) if file else None),
        )
        known = stream.task.external_references.filter(system=stream.system).exists()
        if run.operation == CREATES and not known and stream.awaiting_since is None:
            stream.awaiting_since = timezone.now()
            stream.save(update_fields=["awaiting_since"])
        results.write(run, execution.step, results.done(reason=_("Published: it waits to be fetched.")))


def _before(execution: Execution) -> results.Result | None:
    """What keeps the event from being published at all."""
    run = execution.run
    if run.direction == Direction.IN:
        return results.skipped(_("It would tell the desk that caused this event."))
    known = execution.context["task"]["external_reference"] or _was_published(run.stream)
    if not known and execution.given_to_others():
        return results.skipped(_("The other desk does not know this task, and it was given to others."))
    return None


def _was_published(stream: Stream) -> bool:
    return FeedEntry.objects.filter(system=stream.system_id, task=stream.task_id).exists()
