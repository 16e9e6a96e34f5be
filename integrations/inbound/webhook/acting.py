"""What becomes of a call: the rule that counts, and its message delivered once. For calls that arrive, and again."""

import hashlib
from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _

from integrations.inbound import intake
from integrations.inbound.bodies import storable
from integrations.inbound.intake import Arrived
from integrations.inbound.problems import Invalid, NotFound
from integrations.inbound.webhook.mapping import message_of
from integrations.inbound.webhook.reading import context_again
from integrations.inbound.webhook.rules import counting, values_of
from integrations.models import (
    Exchange,
    ExternalSystem,
    Hook,
    HookAuthentication,
    HookOperation,
    Outcome,
    UnknownTickets,
)
from integrations.polling.soon import fetch_soon
from integrations.templating import TemplateFailed, evaluate
from integrations.templating.plain import as_text


def act(call: Arrived, hook: Hook, context: Mapping[str, Any], *, hold_echo: bool = True) -> None:
    """Do what the rule that counts makes of the call; what came of it is in `call`.

    Raises `Refused`, `ActionRefused` or a `ValidationError`; then nothing was changed.
    """
    rule = counting(hook.rules.all(), context)
    if rule is None:
        call.settled = Outcome.NO_RULE
        return
    call.exchange.operation = rule.operation
    if rule.operation == HookOperation.IGNORE:
        call.settled = Outcome.IGNORED
        call.noted = _('Rule "%(rule)s": known, and without effect.') % {"rule": rule}
        return
    given = values_of(rule, context)
    if rule.operation == HookOperation.FETCH:
        if not _fetch(hook.system, given):
            call.settled, call.noted = Outcome.IGNORED, _("There is no such ticket here to look at.")
        return
    try:
        message = message_of(hook.system, rule.operation, given)
        if message is None:
            call.settled = Outcome.IGNORED
            call.noted = _('Rule "%(rule)s": nothing follows from this status.') % {"rule": rule}
            return
        intake.deliver(call, message, idempotency_key=delivery_of(hook, call.exchange, context), hold_echo=hold_echo)
    except NotFound as unknown:
        if hook.unknown_tickets != UnknownTickets.IGNORE:
            raise
        call.settled, call.noted = Outcome.IGNORED, unknown.detail


def act_again(call: Arrived, exchange: Exchange, *, hold_echo: bool) -> None:
    """As `act`, for a recorded call, by the rules of now."""
    hook = Hook.objects.select_related("system").filter(system=exchange.system).first()
    if hook is None:
        raise Invalid(_("This system has no webhook any more, so there are no rules for the call."))
    act(call, hook, context_again(exchange), hold_echo=hold_echo)


def delivery_of(hook: Hook, exchange: Exchange, context: Mapping[str, Any]) -> str:
    """By what a repeated delivery is known: the id that the hook's expression finds, that of Standard Webhooks, or
    the content of the call as it is recorded. Raises `Invalid` where the id that should be there is not."""
    found = ""
    if hook.message_id.strip():
        try:
            found = as_text(evaluate(hook.message_id, dict(context))).strip()
        except (TemplateFailed, TypeError) as error:
            raise Invalid(_("The id of the call is missing: %(why)s") % {"why": error}) from error
    elif hook.authentication == HookAuthentication.STANDARD:
        found = context["headers"].get("webhook-id", "")
    if found:
        return storable(found)
    # Whoever replays a signed body can send it to another address: with ?x=1 it is the same call.
    signed = hook.authentication == HookAuthentication.HMAC
    address = exchange.url.partition("?")[0] if signed else exchange.url
    return hashlib.sha256(f"{address}\n{exchange.request_body}".encode()).hexdigest()


def _fetch(system: ExternalSystem, given: Mapping[str, Any]) -> bool:
    """Have that ticket looked at as soon as a worker is free; whether there is one to look at. Raises `Invalid`."""
    reference, internal = (as_text(given.get(name)).strip()[:200] for name in ("reference", "external_id"))
    if not (reference or internal):
        raise Invalid(_("The rule gives neither reference nor external_id: what is to be fetched?"))
    return fetch_soon(system, reference=storable(reference), external_id=storable(internal))
