"""The steps that call another desk: an operation, or a request of the step's own.

A try goes: prepare (pin the request, mark the step as being sent), send, record. A worker that dies in between leaves
the step marked, and who comes after knows that the outcome is unknown.
"""

from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.app_fields import placeholders
from integrations.echo import remember
from integrations.engine import accounts, results
from integrations.engine.claim import recording
from integrations.engine.outcome import Verdict
from integrations.engine.rendering import Prepared, needs_reference, render_request, sources_of
from integrations.engine.sending import attempt, broken_off
from integrations.engine.steps.base import Execution
from integrations.engine.steps.probe import look
from integrations.engine.steps.tries import after_failure, created_after_all, occasion_of, record_try
from integrations.models import Direction, ExternalSystem, Outcome, Repeat, SentValue, StepState
from integrations.templating import TemplateFailed, used_paths
from integrations.transports.errors import TransportError
from integrations.transports.soap_arguments import ArgumentProblem
from integrations.transports.wsdl import WsdlProblem
from integrations.value_maps import THEIRS

TRIED = (StepState.FAILED, StepState.UNKNOWN)


def execute(execution: Execution) -> None:
    """Take the step one try further."""
    request = execution.definition["request"]
    system = _system_of(execution, request)
    if system is None:
        execution.record(results.attention(_("The external system of this step was deleted.")))
        return
    if (refusal := _before(execution, request, system)) is not None:
        execution.record(refusal)
        return
    if execution.step.state == StepState.SENDING:
        _interrupted(execution, request, system)
        return
    if execution.step.state == StepState.UNKNOWN and request["repeat"] == Repeat.PROBE:
        look(execution, request, system)
        return
    if execution.step.state == StepState.UNKNOWN and request["repeat"] == Repeat.ASK:
        execution.record(results.attention(execution.step.reason, step_state=StepState.UNKNOWN))
        return
    try:
        prepared = _prepare(execution, request, system)
    except (TemplateFailed, TransportError, ArgumentProblem, WsdlProblem) as problem:
        execution.record(results.attention(_("The request could not be made: %(problem)s") % {"problem": problem}))
        return
    occasion = occasion_of(execution, request, system)
    came = attempt(occasion, prepared, request, execution.context)
    record_try(execution, request, system, came)


def _before(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> results.Result | None:
    """What keeps the request from being sent at all."""
    run = execution.run
    stream = run.stream
    own = system.pk == stream.system_id
    if own and run.direction == Direction.IN:
        return results.skipped(_("It would call the desk that caused this event."))
    if not system.active:
        return results.retry(
            _("%(system)s is switched off.") % {"system": system},
            timezone.now() + timedelta(minutes=1),
            step_state=StepState(execution.step.state),
        )
    if (waits := accounts.hold_back(execution, request, system)) is not None:
        return waits
    reference = execution.context["task"]["external_reference"]
    if own and execution.definition["creates"] and reference and execution.step.state in TRIED:
        return created_after_all(reference)
    if own and execution.definition["creates"] and not reference and _given_to_others(execution):
        return results.skipped(_("Not created: the task was given to others before it could be sent."))
    if not own or execution.step.state != StepState.READY:
        return None
    if execution.definition["creates"]:
        if reference:
            return results.skipped(
                _('Not created again: the task is known there as "%(reference)s".') % {"reference": reference}
            )
    elif reference or not needs_reference(request):
        return None
    if stream.awaiting_since is not None:
        return results.for_acknowledgement(stream)
    if not execution.definition["creates"] and _given_to_others(execution):
        # Whatever could have created it has had its turn before: they have never heard of it, or have rejected it.
        return results.skipped(_("The other desk does not know this task, and it was given to others."))
    if not execution.definition["creates"]:
        return results.attention(
            _("This needs the number of the other desk, and the task has none there: enter it, or skip this run."),
            step_state=StepState.READY,
        )
    return None


def _given_to_others(execution: Execution) -> bool:
    """Whether the task left the desk's groups before a request that has surely not arrived could be sent."""
    return execution.step.state in (StepState.READY, StepState.FAILED) and execution.given_to_others()


def _interrupted(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> None:
    """Whoever sent this is gone: it may have arrived."""
    verdict = Verdict(Outcome.UNKNOWN, broken_off(), doubtful=True)
    execution.record(after_failure(execution, request, system, verdict))


def _prepare(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> Prepared:
    """Pin the request at the first try, and mark the step as being sent."""
    step, run = execution.step, execution.run
    if step.request is None:
        prepared = render_request(request, system=system, context=execution.context)
        if prepared.method != "GET" and not any(name.lower() == "idempotency-key" for name in prepared.headers):
            prepared.headers["Idempotency-Key"] = str(step.idempotency_key)
        prepared.pin(step)
    else:
        prepared = Prepared.of_step(step)
    with recording(execution.claim):
        step.state = StepState.SENDING
        step.attempts += 1
        step.save()
        if step.attempts == 1 and system.pk == run.stream.system_id:
            _remember(execution, request, system)
    return prepared


def _remember(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> None:
    """What this says over there, so that it is known again: its texts, and values that are set by the value maps."""
    task, step, context = execution.run.stream.task, execution.step, execution.context
    used = {path for source in sources_of(request) if source for path in used_paths(source, placeholders())}
    # A ticket that is created begins with its description, which some desks list as the first note.
    texts = [context["event"]["text"] if "event.text" in used else ""]
    for owner in ("ticket", "task"):
        if request["creates"] and f"{owner}.description" in used:
            texts.append(context[owner]["description"])
    for text in dict.fromkeys(texts):
        if text:
            remember(task=task, system=system, text=text, step=step)
    SentValue.objects.bulk_create(
        SentValue(task=task, system=system, step=step, kind=kind, value=value[:200])
        for kind, value in context["theirs"].items()
        if f"{THEIRS}.{kind}" in used
    )


def _system_of(execution: Execution, request: dict[str, Any]) -> ExternalSystem | None:
    """The system that is called: the operation's own, or the one of the stream. None: it was deleted since."""
    system_id = request["system_id"]
    stream = execution.run.stream
    if system_id is None or system_id == stream.system_id:
        return stream.system
    return ExternalSystem.objects.filter(pk=system_id).first()
