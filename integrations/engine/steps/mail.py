"""The step that sends mail. Repeats carry the same Message-ID, so that repeating is safe."""

import time

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.engine import letters, results
from integrations.engine.claim import ClaimLost, hold, longest_send, recording, renew
from integrations.engine.outcome import of_error
from integrations.engine.retry import next_try, parse_schedule
from integrations.engine.sending import clean
from integrations.engine.steps.base import Execution
from integrations.mail_words import without_tokens
from integrations.models import Exchange, Outcome, StepState, Way
from integrations.templating import TemplateFailed
from integrations.transports.errors import MailRefused, TransportError
from integrations.transports.mail import Mail, send_mail

MAIL_SECONDS = 40.0


def execute(execution: Execution) -> None:
    """Render once, send, record."""
    step = execution.step
    if (refusal := _before(execution)) is not None:
        execution.record(refusal)
        return
    try:
        mail = _prepare(execution)
    except TemplateFailed as failed:
        execution.record(results.attention(_("The mail could not be written: %(problem)s") % {"problem": failed}))
        return
    exchange = _begin(execution, mail)
    started = time.monotonic()
    problem: TransportError | None = None
    try:
        renew(execution.claim)
    except ClaimLost:
        exchange.delete()
        raise
    try:
        send_mail(mail, deadline=longest_send(MAIL_SECONDS))
    except TransportError as error:
        problem = error
    if problem is not None and problem.accepted and step.request is not None:
        # Stored with the result: whoever has it does not get it again when it is repeated for the others.
        step.request = {**step.request, "done": [*mail.done, *problem.accepted]}
    exchange.duration_ms = round((time.monotonic() - started) * 1000)
    result = results.done() if problem is None else _after_failure(execution, problem)
    exchange.outcome = Outcome.SUCCEEDED if problem is None else _outcome(problem)
    exchange.error = clean(execution.run.stream.system, str(problem or ""))
    exchange.save()
    with transaction.atomic():
        stream = hold(execution.claim)
        if result.goes_on and execution.definition["creates"] and not _has_reference(execution):
            stream.awaiting_since = timezone.now()
            stream.save(update_fields=["awaiting_since"])
        results.write(execution.run, step, result)


def _before(execution: Execution) -> results.Result | None:
    """A mail that creates the ticket there: not for a task that has a number, nor while that is awaited."""
    if not execution.definition["creates"] or execution.step.state != StepState.READY:
        return None
    reference = execution.context["task"]["external_reference"]
    if reference:
        return results.skipped(
            _('Not created again: the task is known there as "%(reference)s".') % {"reference": reference}
        )
    stream = execution.run.stream
    return results.for_acknowledgement(stream) if stream.awaiting_since is not None else None


def _prepare(execution: Execution) -> Mail:
    step = execution.step
    if step.request is None:
        letters.pin(step, execution.run, execution.definition, execution.context)
    mail = letters.mail_of(step, execution.run)
    with recording(execution.claim):
        step.state = StepState.SENDING
        step.attempts += 1
        step.save()
    return mail


def _begin(execution: Execution, mail: Mail) -> Exchange:
    system = execution.run.stream.system
    return Exchange.objects.create(
        way=Way.OUT,
        system=system,
        task=execution.run.stream.task,
        run=execution.run,
        step=execution.step,
        dialect="mail",
        operation=execution.step.name,
        attempt=execution.step.attempts,
        method="MAIL",
        url=", ".join(mail.to),
        request_headers={
            "Subject": mail.subject,
            "Message-ID": mail.message_id,
            **{name: without_tokens(value) for name, value in mail.headers.items()},
            **({"From": mail.sender} if mail.sender else {}),
            **({"Attachment": ", ".join(file[0] for file in mail.attachments)} if mail.attachments else {}),
        },
        request_body=clean(system, without_tokens(mail.body)),
        message_id=mail.message_id,
    )


def _after_failure(execution: Execution, problem: TransportError) -> results.Result:
    if _outcome(problem) in (Outcome.PERMANENT, Outcome.MISCONFIGURED):
        return results.attention(str(problem))
    execution.step.failures += 1
    schedule = parse_schedule(execution.run.stream.system.retry_schedule)
    due_at = next_try(schedule, failures=execution.step.failures, now=timezone.now())
    return results.attention(str(problem)) if due_at is None else results.retry(str(problem), due_at)


def _outcome(problem: TransportError) -> Outcome:
    return Outcome.PERMANENT if isinstance(problem, MailRefused) else of_error(problem).outcome


def _has_reference(execution: Execution) -> bool:
    stream = execution.run.stream
    return stream.task.external_references.filter(system_id=stream.system_id).exists()
