"""Messages that were recorded but had no effect, given another chance by a person.

A refused one can be mapped again after what was in its way was mended; one that was held back as an echo can be
applied anyway. Both make a new exchange that points to the first, which stays as it was.
"""

import json
import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict
from datetime import timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from integrations.inbound import intake
from integrations.inbound.intake import Arrived
from integrations.inbound.itx import mapping as itx
from integrations.inbound.messages import Message
from integrations.inbound.problems import Broken, Refused
from integrations.inbound.rest import mapping as rest
from integrations.inbound.rest.problems import as_refused
from integrations.inbound.webhook.acting import act_again
from integrations.inbound.workflow_service import mapping as workflow_service
from integrations.models import Exchange, Outcome, Way
from integrations.polling.delivering import read_again as read_look_again
from integrations.polling.entries import read_again as read_entry_again
from tickets.actions import add_remark
from tickets.actors import Actor
from tickets.errors import ActionRefused

logger = logging.getLogger(__name__)

DIALECTS: Final[Mapping[str, Callable[[Exchange], Message]]] = {
    "rest": rest.read_again,
    "workflow_service": workflow_service.read_again,
    "case_exchange": read_entry_again,
    "itx": itx.read_again,
    "operations": read_look_again,
}
# What a call of a webhook means, its rules say; some mean no message at all.
WEBHOOK: Final = "webhook"
# Had no effect for a reason that may be mended: the message, the configuration, the rules of a webhook.
MAPPED_AGAIN: Final = (Outcome.REFUSED, Outcome.NO_RULE, Outcome.RECORDED, Outcome.IGNORED)


def replay_inbound(exchange: Exchange, *, by: Actor) -> Exchange:
    """Map a message again that had no effect, and do what it asks. The new exchange; its outcome says whether it
    worked now.

    Raises `ActionRefused` where there is nothing to replay.
    """
    return _again(exchange, MAPPED_AGAIN, by, hold_echo=True)


def apply_anyway(exchange: Exchange, *, by: Actor) -> Exchange:
    """Do what a message asks that was held back as an echo of our own text. The new exchange."""
    return _again(exchange, (Outcome.HELD_BACK,), by, hold_echo=False)


def why_not(exchange: Exchange, outcomes: Collection[str]) -> str:
    """Why this exchange cannot be replayed; empty if it can be. `outcomes` are those that this replay is for."""
    if exchange.way == Way.IN and exchange.dialect == "mail":
        return _("What becomes of a mail is decided on the mail's own page, under Mail.")
    known = exchange.dialect == WEBHOOK or exchange.dialect in DIALECTS
    if exchange.way != Way.IN or exchange.outcome not in outcomes or not known:
        return _("Only incoming messages that were refused, held back or without effect can be replayed.")
    if exchange.system_id is None:
        return _("It is not known who sent this.")
    just_now = Q(outcome=Outcome.SENDING, started_at__gt=timezone.now() - timedelta(minutes=1))
    if exchange.replays.filter(just_now | Q(outcome__in=[Outcome.SUCCEEDED, Outcome.REPEATED])).exists():
        return _("This message was replayed already.")
    return ""


def _deliver(call: Arrived, exchange: Exchange, *, hold_echo: bool) -> None:
    """Under the keys of the first delivery: should the other desk send it once more, it is a repetition."""
    if exchange.dialect == WEBHOOK:
        act_again(call, exchange, hold_echo=hold_echo)
        return
    message = DIALECTS[exchange.dialect](exchange)
    key = exchange.request_headers.get("Idempotency-Key", "")
    intake.deliver(call, message, idempotency_key=key, hold_echo=hold_echo)


def _again(exchange: Exchange, outcomes: Collection[str], by: Actor, *, hold_echo: bool) -> Exchange:
    with transaction.atomic():
        # Two clicks at once: the second waits here, and finds the replay of the first.
        exchange = Exchange.objects.select_for_update(of=("self",), no_key=True).get(pk=exchange.pk)
        if reason := why_not(exchange, outcomes):
            raise ActionRefused(reason)
        call = intake.arrived(
            dialect=exchange.dialect,
            operation=exchange.operation,
            method=exchange.method,
            url=exchange.url,
            headers=exchange.request_headers,
            body=exchange.request_body,
            system=exchange.system,
            replay_of=exchange,
        )
    problem: Refused | None = None
    try:
        _deliver(call, exchange, hold_echo=hold_echo)
    except (Refused, ActionRefused, ValidationError) as error:
        problem = as_refused(error)
    except Exception:
        # Broad on purpose: one message of many that fails must not keep the others from their second chance.
        logger.exception("replaying exchange %s failed", exchange.pk)
        problem = Broken()
    if call.receipt is not None and call.exchange.task is not None:
        text = _("Message %(old)d of %(system)s was replayed as %(new)d.")
        add_remark(
            actor=by,
            ticket=call.exchange.task.ticket,
            task=call.exchange.task,
            text=text % {"old": exchange.pk, "system": call.system, "new": call.exchange.pk},
        )
    answer = asdict(call.receipt) if call.receipt else {"detail": str(problem or call.noted)}
    intake.finished(
        call,
        status=problem.status if problem else 200,
        headers={"Content-Type": "application/json"},
        body=json.dumps(answer, ensure_ascii=False),
        problem=problem,
    )
    return call.exchange
