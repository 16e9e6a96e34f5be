"""What a try came to, written down: the other desk's number, the captures, and what follows a failure."""

from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.echo import name_sent
from integrations.engine import results
from integrations.engine.claim import hold, renew
from integrations.engine.outcome import Verdict, captured
from integrations.engine.references import store_contact, store_reference
from integrations.engine.rendering import contact_of
from integrations.engine.retry import next_try, parse_schedule
from integrations.engine.sending import Occasion, Try
from integrations.engine.steps.base import Execution
from integrations.models import ExternalSystem, Outcome, Repeat, StepState, TheirMessageOrigin
from integrations.polling.soon import look_after_sending
from integrations.snapshot import current_reference
from integrations.their_messages import FILE, NOTE, remember
from tickets.errors import ActionRefused
from tickets.models import Contact

REFERENCE = "reference"
EXTERNAL_ID = "external_id"
ATTACHMENT_ID = "attachment_id"
CONTACT = "contact"
MESSAGE_ID = "message_id"


def occasion_of(execution: Execution, request: dict[str, Any], system: ExternalSystem) -> Occasion:
    """For what the exchanges of this try are; the lease is renewed right before anything is sent."""
    return Occasion(
        system=system,
        dialect=request["protocol"],
        operation=request["operation"],
        task=execution.run.stream.task,
        step=execution.step,
        attempt=execution.step.attempts,
        before_send=lambda: renew(execution.claim),
    )


def record_try(execution: Execution, request: dict[str, Any], system: ExternalSystem, came: Try) -> None:
    """Write down what a try came to."""
    if came.verdict.outcome == Outcome.SUCCEEDED and came.response is not None:
        values, problems = captured(request, came.response, execution.context)
        record_success(execution, system, values, problems)
    else:
        execution.record(after_failure(execution, request, system, came.verdict))


def record_success(execution: Execution, system: ExternalSystem, values: dict[str, Any], problems: str = "") -> None:
    """The other desk did it: keep what was captured, its number first of all. Sent again it is never."""
    run, step = execution.run, execution.step
    stream = run.stream
    own = system.pk == stream.system_id
    reason = problems and _("Not captured: %(problems)s") % {"problems": problems}
    with transaction.atomic():
        reference = values.get(REFERENCE)
        refused = ""
        if own and reference not in (None, "") and not isinstance(reference, str | int):
            refused = _("The capture named reference gave no number or text: %(value)s") % {"value": reference}
        elif own and reference not in (None, ""):
            try:
                internal = str(values.get(EXTERNAL_ID) or "")
                store_reference(task=stream.task, system=system, value=str(reference), external_id=internal)
            except ActionRefused as problem:
                refused = str(problem)
        number = values.get(CONTACT)
        contact_id = contact_of(run)
        contact = Contact.objects.filter(pk=contact_id).first() if contact_id is not None else None
        if number not in (None, "") and contact is not None:
            try:
                store_contact(contact=contact, system=system, value=str(number))
            except ActionRefused as problem:
                refused = refused or str(problem)
        text = run.snapshot["event"]["text"]
        named = str(values.get(MESSAGE_ID) or "")
        file_named = str(values.get(ATTACHMENT_ID) or "")
        if own and named:
            name_sent(task=stream.task, system=system, text=text, their_message_id=named)
            # Some desks give a file an id beside that of the message that it came with.
            kind = FILE if run.attachment_id and not file_named else NOTE
            ours = TheirMessageOrigin.OURS
            remember(stream.task, system, kind, named, ours, note=run.note, attachment=run.attachment)
        if own and file_named and run.attachment_id:
            remember(stream.task, system, FILE, file_named, TheirMessageOrigin.OURS, attachment=run.attachment)
        if own:
            look_after_sending(stream.task, system)
        locked = hold(execution.claim)
        if (
            own
            and execution.definition["creates"]
            and not stream.task.external_references.filter(system=system).exists()
        ):
            locked.awaiting_since = timezone.now()
            locked.save(update_fields=["awaiting_since"])
        results.write(run, step, results.done(captures=values, reason=refused or reason))


def created_after_all(reference: str) -> results.Result:
    """The acknowledgement has arrived while the create was under way: however that ended, it is not sent again."""
    return results.done(reason=_('It arrived: the task is known there as "%(number)s".') % {"number": reference})


def after_failure(
    execution: Execution, request: dict[str, Any], system: ExternalSystem, verdict: Verdict
) -> results.Result:
    """What follows a failure: the engine alone decides."""
    step, stream = execution.step, execution.run.stream
    if execution.definition["creates"] and system.pk == stream.system_id:
        reference = current_reference(stream.task_id, stream.system_id)
        if reference:
            return created_after_all(reference)
    if verdict.outcome in (Outcome.PERMANENT, Outcome.MISCONFIGURED):
        # Doubtful: it was answered with success, but by the template's rule nobody can tell. Not sent again blindly.
        state = StepState.UNKNOWN if verdict.doubtful else StepState.FAILED
        return results.attention(verdict.reason, step_state=state)
    step.failures += 1
    unknown = verdict.outcome == Outcome.UNKNOWN
    if unknown and request["repeat"] == Repeat.ASK:
        return results.attention(verdict.reason, step_state=StepState.UNKNOWN)
    due_at = next_try(
        parse_schedule(system.retry_schedule),
        failures=step.failures,
        now=timezone.now(),
        retry_after=verdict.retry_after,
    )
    looks = verdict.doubtful and request["repeat"] == Repeat.PROBE
    if due_at is None:
        return results.attention(
            _("Tried %(count)d times. The last time: %(reason)s")
            % {"count": step.attempts, "reason": verdict.reason},
            step_state=StepState.UNKNOWN if unknown or looks else StepState.FAILED,
        )
    if looks:
        step.probes = 0
        settled = timezone.now() + timedelta(seconds=request["settle_seconds"])
        return results.retry(verdict.reason, max(due_at, settled), step_state=StepState.UNKNOWN)
    return results.retry(verdict.reason, due_at)
