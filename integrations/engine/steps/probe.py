"""Look whether a request of unknown outcome arrived, before it is sent again."""

from datetime import timedelta
from typing import Any, Final

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.engine import results
from integrations.engine.claim import recording
from integrations.engine.outcome import captured, response_context
from integrations.engine.rendering import render_request
from integrations.engine.retry import next_try, parse_schedule
from integrations.engine.sending import attempt
from integrations.engine.steps.base import Execution
from integrations.engine.steps.tries import occasion_of, record_success
from integrations.models import ExternalSystem, Outcome, RunState, StepState
from integrations.templating import TemplateFailed, evaluate
from integrations.transports.errors import TransportError
from integrations.transports.soap_arguments import ArgumentProblem
from integrations.transports.wsdl import WsdlProblem

# A desk may show a new record late: one look that finds nothing proves nothing.
LOOKS: Final = 2


def look(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> None:
    """Probe once: found counts as success, not found (often enough) sends again, anything else is looked at later."""
    probe = request["probe"]
    if probe is None:
        execution.record(
            results.attention(
                _("There is no operation to look with whether it arrived."), step_state=StepState.UNKNOWN
            )
        )
        return
    try:
        prepared = render_request(probe, system=system, context=execution.context)
        # What is looked for counts as read: in a page for signing in it would not be found, and be sent once more.
        asked = {**probe, "captures": f"{probe['captures']}\n{request['probe_found']}"}
        came = attempt(occasion_of(execution, probe, system), prepared, asked, execution.context)
        if came.verdict.outcome != Outcome.SUCCEEDED or came.response is None:
            _look_later(execution, system, came.verdict.outcome, came.verdict.reason)
            return
        answer = {**execution.context, "response": response_context(came.response, probe)}
        found = bool(evaluate(request["probe_found"], answer, fields=placeholders()))
    except (TemplateFailed, TransportError, ArgumentProblem, WsdlProblem) as problem:
        reason = _("It could not be looked up whether it arrived: %(problem)s") % {"problem": problem}
        execution.record(results.attention(reason, step_state=StepState.UNKNOWN))
        return
    if found:
        values, problems = captured(probe, came.response, execution.context)
        record_success(execution, system, values, problems)
    else:
        _not_found(execution, request)


def _not_found(execution: Execution, request: dict[str, Any]) -> None:
    step = execution.step
    step.probes += 1
    if step.probes < LOOKS:
        due_at = timezone.now() + timedelta(seconds=request["settle_seconds"])
        reason = _("Looked %(count)d times; it has not arrived so far.") % {"count": step.probes}
        execution.record(results.retry(reason, due_at, step_state=StepState.UNKNOWN))
        return
    with recording(execution.claim):
        step.state = StepState.FAILED
        step.probes = 0
        step.save()
        execution.run.state = RunState.RUNNING
        execution.run.save(update_fields=["state"])


def _look_later(execution: Execution, system: ExternalSystem, outcome: Outcome, reason: str) -> None:
    if outcome in (Outcome.PERMANENT, Outcome.MISCONFIGURED):
        execution.record(results.attention(reason, step_state=StepState.UNKNOWN))
        return
    step = execution.step
    step.failures += 1
    due_at = next_try(parse_schedule(system.retry_schedule), failures=step.failures, now=timezone.now())
    if due_at is None:
        execution.record(results.attention(reason, step_state=StepState.UNKNOWN))
    else:
        execution.record(results.retry(reason, due_at, step_state=StepState.UNKNOWN))
