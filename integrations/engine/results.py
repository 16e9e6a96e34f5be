"""What the execution of a step comes to, and how it is written down."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.models import ProcessRun, RunState, StepRun, StepState, Stream


@dataclass(frozen=True)
class Result:
    """How a step ended for now, and how its run goes on.

    A step that is done or skipped lets the run go on. Otherwise the run is in `run_state`, until `due_at` if that is
    given, and `reason` tells a person why.
    """

    step_state: StepState
    run_state: RunState = RunState.RUNNING
    reason: str = ""
    due_at: datetime | None = None
    captures: dict[str, Any] = field(default_factory=dict)
    stop: bool = False

    @property
    def goes_on(self) -> bool:
        """Whether the run continues with its next step."""
        return self.step_state in (StepState.DONE, StepState.SKIPPED)


def done(*, captures: dict[str, Any] | None = None, reason: str = "", stop: bool = False) -> Result:
    """The step has had its effect."""
    return Result(StepState.DONE, captures=captures or {}, reason=reason, stop=stop)


def skipped(reason: str) -> Result:
    """The step was not to be done."""
    return Result(StepState.SKIPPED, reason=reason)


def attention(reason: str, *, step_state: StepState = StepState.FAILED) -> Result:
    """Only a person can decide how to go on."""
    return Result(step_state, RunState.ATTENTION, reason)


def retry(reason: str, due_at: datetime, *, step_state: StepState = StepState.FAILED) -> Result:
    """Again at that time."""
    return Result(step_state, RunState.RETRYING, reason, due_at)


def for_acknowledgement(stream: Stream) -> Result:
    """Until the acknowledgement arrives; when the system's limit has passed, a person is asked."""
    system = stream.system
    since = stream.awaiting_since or timezone.now()
    limit = since + timedelta(hours=system.acknowledgement_hours)
    if timezone.now() >= limit:
        return attention(
            _("%(system)s accepted the task but has not acknowledged it with its number for %(hours)d hours.")
            % {"system": system, "hours": system.acknowledgement_hours},
            step_state=StepState.READY,
        )
    return Result(StepState.READY, RunState.AWAITING, _("Waits for the number of the other desk."), limit)


def write(run: ProcessRun, step: StepRun, result: Result) -> None:
    """Record the result in the step and its run, in the caller's transaction."""
    step.state = result.step_state
    step.reason = result.reason
    if result.goes_on:
        step.captures = {**step.captures, **result.captures}
        step.finished_at = timezone.now()
    step.save()
    run.reason = "" if result.goes_on else result.reason
    run.due_at = result.due_at
    run.state = result.run_state
    if result.goes_on:
        run.step_index += 1
        last = len(run.version.definition["steps"]) if run.only_step is None else run.only_step + 1
        if result.stop or run.step_index >= last:
            end(run, RunState.DONE)
            return
    run.save(update_fields=["reason", "due_at", "state", "step_index"])


def end(run: ProcessRun, state: RunState, *, reason: str = "") -> None:
    """Nothing more will happen in this run."""
    run.state = state
    run.due_at = None
    run.reason = reason
    run.finished_at = timezone.now()
    run.save(update_fields=["reason", "due_at", "state", "step_index", "finished_at"])
