"""Work off one stream: claim it, execute the head's next step, record, go on until nothing is due.

No transaction is open while the network is used. Every record checks the fencing token under the stream's lock.
"""

import logging
import time
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import OperationalError
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.claim import Claim, ClaimLost, let_go, recording, take
from integrations.engine.rendering import context_for, uses_reference
from integrations.engine.sending import mark_broken_off
from integrations.engine.steps import KINDS
from integrations.engine.steps.base import Execution
from integrations.engine.steps.wait import behind_creation, is_over
from integrations.engine.streams import enqueue, next_position
from integrations.models import OUT_OF_LINE, ProcessRun, RunState, StepKind, StepRun, StepState, Stream
from integrations.snapshot import current_reference
from integrations.templating import TemplateFailed, evaluate
from tickets.errors import InvalidInput

logger = logging.getLogger(__name__)

REFERENCE = "external_reference"
# A head in one of these waits for its time; in the others that do not run, for a person.
TIMED = (RunState.RETRYING, RunState.AWAITING)
FOR_A_PERSON = (RunState.ATTENTION, RunState.HELD)


@dataclass(frozen=True)
class Nothing:
    """There is nothing to do in this stream before `due_at` (None: before something wakes it)."""

    due_at: datetime | None


def work_off(stream_id: int) -> bool:
    """Work off the stream as far as possible, for at most CLAIM_SECONDS. False if another worker has it."""
    claim = take(stream_id)
    if claim is None:
        return False
    stop_at = time.monotonic() + settings.CLAIM_SECONDS
    mark_broken_off(stream_id)
    try:
        while True:
            found = head(claim)
            if isinstance(found, Nothing):
                if let_go(claim, due_at=found.due_at):
                    return True
            elif time.monotonic() >= stop_at:
                if let_go(claim, due_at=timezone.now()):
                    enqueue(stream_id)
                    return True
            else:
                execute_safely(claim, found)
    except ClaimLost:
        logger.info("stream %s was taken over by another worker", stream_id)
        return False


def head(claim: Claim) -> ProcessRun | Nothing:
    """The run whose turn it is, marked as running; or when to look again."""
    with recording(claim) as stream:
        rejoin(stream)
        run = (
            stream.runs.exclude(state__in=OUT_OF_LINE)
            .select_related("version__process", "group")
            .order_by("position")
            .first()
        )
        if run is None:
            return Nothing(None)
        run.stream = stream
        if run.state in FOR_A_PERSON:
            return Nothing(None)
        if run.state in TIMED and run.due_at is not None and run.due_at > timezone.now():
            return Nothing(run.due_at)
        if run.state != RunState.RUNNING:
            run.state = RunState.RUNNING
            run.due_at = None
            run.save(update_fields=["state", "due_at"])
        return run


def rejoin(stream: Stream) -> None:
    """Parked runs whose wait is over take their place at the tail; those that have not begun, the one they had."""
    for run in stream.runs.filter(state=RunState.PARKED).select_related("version").order_by("position"):
        run.stream = stream
        try:
            if not _wait_is_over(run):
                continue
        except (InvalidInput, TemplateFailed) as problem:
            run.state, run.reason = RunState.ATTENTION, str(problem)
            run.save(update_fields=["state", "reason"])
            continue
        if _has_begun(run):
            run.position = next_position(stream)
        run.state = RunState.QUEUED
        run.save(update_fields=["position", "state"])


def _wait_is_over(run: ProcessRun) -> bool:
    if not _has_begun(run):
        return bool(current_reference(run.stream.task_id, run.stream.system_id)) or behind_creation(run) is None
    return is_over(run, run.version.definition["steps"][run.step_index])


def execute_safely(claim: Claim, run: ProcessRun) -> None:
    """Execute the next step; what nobody has foreseen stops the stream where a person sees it."""
    try:
        execute(claim, run)
    except (ClaimLost, OperationalError):
        # Another worker goes on, or the database is away and the sweeper comes back to this.
        raise
    except Exception as error:
        # Broad on purpose: else the stream would fail again and again where nobody sees it.
        logger.exception("run %s failed unexpectedly", run.pk)
        fail(claim, run, _("Unexpected error, written to the log: %(error)s") % {"error": repr(error)[:500]})


def fail(claim: Claim, run: ProcessRun, reason: str) -> None:
    """Leave the run to a person; a request that was under way may have arrived."""
    with recording(claim):
        run.steps.filter(index=run.step_index, state=StepState.SENDING).update(state=StepState.UNKNOWN, reason=reason)
        run.state, run.reason, run.due_at = RunState.ATTENTION, reason, None
        run.save(update_fields=["state", "reason", "due_at"])


def execute(claim: Claim, run: ProcessRun) -> None:
    """Execute the next step of the run and record what came of it."""
    definitions = run.version.definition["steps"]
    if run.step_index >= len(definitions):
        with recording(claim):
            results.end(run, RunState.DONE)
        return
    if not _begun(claim, run):
        return
    definition = definitions[run.step_index]
    step = _step_of(claim, run, definition)
    execution = Execution(claim=claim, run=run, step=step, definition=definition, context=context_for(run))
    # Bytes that were pinned before the first try are those of a replay: a person has asked for them.
    if step.state == StepState.READY and step.attempts == 0 and step.request is None:
        try:
            wanted = _condition_holds(execution)
        except TemplateFailed as problem:
            execution.record(results.attention(_("The step's condition failed: %(problem)s") % {"problem": problem}))
            return
        if not wanted:
            execution.record(results.skipped(_("Its condition does not hold.")))
            return
    KINDS[StepKind(definition["kind"])](execution)


def _begun(claim: Claim, run: ProcessRun) -> bool:
    """Begin the run, unless it has to wait for the other desk's number first: until it is acknowledged, or until the
    run that creates the ticket there, and is parked itself, has had its turn.

    The reference is pinned as it is now: conditions look at that one in every step of the run. Otherwise a step
    "reopen when there is a reference" would hold right behind the step that has just created the ticket.
    """
    if _has_begun(run):
        return True
    stream = run.stream
    parked = behind_creation(run)
    depends = (parked or stream.awaiting_since is not None) and uses_reference(run.version.definition)
    with recording(claim) as locked:
        # Under the lock: an acknowledgement that arrives now is either seen here, or finds this run waiting.
        known = current_reference(stream.task_id, stream.system_id)
        waiting = None
        if depends and not known:
            waiting = parked or (results.for_acknowledgement(stream) if locked.awaiting_since is not None else None)
        if waiting is None:
            run.snapshot["task"][REFERENCE] = known
        else:
            run.state, run.reason, run.due_at = waiting.run_state, waiting.reason, waiting.due_at
        run.save(update_fields=["snapshot", "state", "reason", "due_at"])
    return waiting is None


def _has_begun(run: ProcessRun) -> bool:
    return REFERENCE in run.snapshot["task"]


def _step_of(claim: Claim, run: ProcessRun, definition: dict[str, str]) -> StepRun:
    with recording(claim):
        step, _created = StepRun.objects.get_or_create(
            run=run, index=run.step_index, defaults={"name": definition["name"], "kind": definition["kind"]}
        )
    return step


def _condition_holds(execution: Execution) -> bool:
    condition = execution.definition["condition"].strip()
    if not condition:
        return True
    pinned = {**execution.context["task"], REFERENCE: execution.run.snapshot["task"][REFERENCE]}
    return bool(evaluate(condition, {**execution.context, "task": pinned}, fields=placeholders()))
