"""The step that delivers an event to a subscription: signed anew at each try, tried again until it is taken.

Whatever is not answered with 2xx is tried again, as Standard Webhooks asks; the receiver knows a repeat by its
`webhook-id`. 410 ends the subscription.
"""

from dataclasses import replace
from functools import partial

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations import webhooks
from integrations.engine import results
from integrations.engine.claim import recording, renew
from integrations.engine.outcome import Verdict
from integrations.engine.rendering import Prepared
from integrations.engine.retry import next_try, parse_schedule
from integrations.engine.sending import Occasion, Try, attempt, finish
from integrations.engine.steps.base import Execution
from integrations.models import Outcome, RunState, StepState, WebhookSubscription

GONE = 410
# Whatever stands in the answer.
TAKEN = "response.status < 300"


def execute(execution: Execution) -> None:
    """Take the delivery one try further."""
    run, step, stream = execution.run, execution.step, execution.run.stream
    subscription = stream.subscription
    if subscription is None or not subscription.is_active:
        _give_up(execution, _("The webhook has ended."))
        return
    message = run.snapshot["webhook"]
    prepared = Prepared(
        method="POST",
        # The address as it is now: a receiver that has moved gets what is due at its new place.
        url=subscription.url,
        headers={"Content-Type": "application/json", "Accept": "*/*", "webhook-id": message["id"]},
        body=webhooks.encoded(message["payload"]),
    )
    prepared.pin(step)
    with recording(execution.claim):
        step.state = StepState.SENDING
        step.attempts += 1
        step.save()
    occasion = Occasion(
        system=stream.system,
        dialect="webhook",
        operation=run.operation,
        task=stream.task,
        step=step,
        attempt=step.attempts,
        before_send=lambda: renew(execution.claim),
        named_url=subscription.url,
        sign=partial(webhooks.signed, subscription=subscription, message=message["id"]),
    )
    request = {**execution.definition["request"], "success": TAKEN}
    came = attempt(occasion, prepared, request, execution.context)
    row = WebhookSubscription.objects.filter(pk=subscription.pk)
    status = _status_of(came)
    if came.verdict.outcome == Outcome.SUCCEEDED or (came.response is None and 200 <= status < 300):
        if came.response is None:
            # What stands behind the status does not count, so it may be cut off or too long.
            finish(came.exchange, stream.system, outcome=Outcome.SUCCEEDED, error=came.verdict.reason)
        row.update(failures=0, last_error="", last_success_at=timezone.now())
        execution.record(results.done())
        return
    if status == GONE:
        reason = _("The other desk answered 410 (gone).")
        webhooks.end(subscription, reason, by_desk=True)
        _give_up(execution, reason)
        return
    verdict = came.verdict
    if came.response is not None and verdict.outcome in (Outcome.PERMANENT, Outcome.MISCONFIGURED):
        verdict = replace(verdict, outcome=Outcome.RETRYABLE)
        finish(came.exchange, stream.system, outcome=Outcome.RETRYABLE, error=verdict.reason)
    row.update(failures=F("failures") + 1, last_error=verdict.reason)
    execution.record(_after_failure(execution, verdict))


def _status_of(came: Try) -> int:
    """The status that came, also where the rest of the answer did not; 0: none."""
    if came.response is not None:
        return came.response.status
    return (came.error.status or 0) if came.error is not None else 0


def _after_failure(execution: Execution, verdict: Verdict) -> results.Result:
    """A wrong configuration needs a person; everything else its time."""
    step = execution.step
    if verdict.outcome == Outcome.MISCONFIGURED:
        return results.attention(verdict.reason)
    step.failures += 1
    due_at = next_try(
        parse_schedule(execution.run.stream.system.retry_schedule),
        failures=step.failures,
        now=timezone.now(),
        retry_after=verdict.retry_after,
    )
    if due_at is None:
        words = _("Tried %(count)d times. The last time: %(reason)s")
        return results.attention(words % {"count": step.attempts, "reason": verdict.reason})
    return results.retry(verdict.reason, due_at)


def _give_up(execution: Execution, reason: str) -> None:
    """End the run: nobody wants it any more."""
    with recording(execution.claim):
        step = execution.step
        step.state, step.reason, step.finished_at = StepState.SKIPPED, reason, timezone.now()
        step.save()
        results.end(execution.run, RunState.CANCELLED, reason=reason)
