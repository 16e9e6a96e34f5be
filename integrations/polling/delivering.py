"""What a look at a ticket has found, taken over: each finding is a message of that desk, and an exchange."""

import json
import logging
from collections.abc import Mapping
from dataclasses import MISSING, asdict, fields
from datetime import datetime
from typing import Any, Final

from django.db.models import Q
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from integrations.inbound import intake
from integrations.inbound.messages import (
    Cancellation,
    Closure,
    Files,
    LocalAssignment,
    Message,
    NewTicket,
    Receipt,
    Rejection,
    Reopening,
    Resolution,
    Update,
)
from integrations.inbound.problems import Broken, InProgress, Malformed, Refused
from integrations.inbound.rest.problems import as_refused
from integrations.models import Exchange, ExternalSystem, Outcome, Way
from integrations.polling.asking import PollFailed
from integrations.polling.conflicts import quoted
from integrations.polling.entries import POLLED
from integrations.polling.operations import READS
from tickets.actions import add_remark
from tickets.actors import Actor
from tickets.models import Task

logger = logging.getLogger(__name__)

DIALECT: Final = "operations"
KINDS: Final[Mapping[str, type[Message]]] = {
    kind.operation: kind
    for kind in (
        Update,
        Files,
        LocalAssignment,
        Resolution,
        Closure,
        Reopening,
        Rejection,
        Cancellation,
        NewTicket,
    )
}


def deliver(system: ExternalSystem, message: Message, *, url: str) -> Receipt | None:
    """Do what the message says. None where it was refused: it is in the log as such, the ticket's history says so,
    and what follows goes on.

    Raises `InProgress` where it has to come again, and `PollFailed` where the failure is ours. What changes nothing
    leaves no row.
    """
    call = intake.arrived(
        dialect=DIALECT,
        operation=message.operation,
        method=POLLED,
        url=url,
        headers={"Content-Type": "application/json"},
        body=written(message),
        system=system,
    )
    refusal: Refused | None = None
    failure: Exception | None = None
    try:
        intake.deliver(call, message)
    except InProgress:
        call.exchange.delete()
        raise
    except (Refused, ValidationError) as error:
        refusal = as_refused(error)
    except Exception as error:
        # Broad on purpose: whatever it was, the message must not be passed over.
        logger.exception("a message of %s could not be taken over", system)
        refusal, failure = Broken(), error
    receipt = call.receipt
    if receipt is not None and not receipt.changed and not receipt.held_back:
        call.exchange.delete()
        return receipt
    if refusal is not None and failure is None:
        _remark(system, message, str(refusal))
    answer = asdict(receipt) if receipt else {"detail": str(refusal)}
    intake.finished(
        call,
        status=refusal.status if refusal else 200,
        headers={"Content-Type": "application/json"},
        body=json.dumps(answer, ensure_ascii=False),
        problem=refusal,
    )
    if failure is not None:
        reason = _("Message %(number)d could not be taken over because of a failure in this portal, see its log.")
        raise PollFailed(reason % {"number": call.exchange.pk}) from failure
    return receipt


def _remark(system: ExternalSystem, message: Message, reason: str) -> None:
    """In the ticket's history, where people look for what they miss."""
    task = Task.objects.select_related("ticket").filter(number=getattr(message, "task_number", "")).first()
    if task is None:
        return
    said = getattr(message, "text", "") or getattr(message, "solution", "")
    text = _("What %(system)s says (%(operation)s) was not taken over: %(reason)s") % {
        "system": system,
        "operation": message.operation,
        "reason": reason,
    }
    add_remark(
        actor=Actor.external(key=system.actor_key, name=message.author or system.name),
        ticket=task.ticket,
        task=task,
        text=f'{text} "{quoted(said)}"' if said else text,
    )


def refuse(system: ExternalSystem, message: Message, problem: Refused, *, task: Task, url: str) -> None:
    """Record a message that cannot even be tried."""
    call = intake.arrived(
        dialect=DIALECT,
        operation=message.operation,
        method=POLLED,
        url=url,
        headers={"Content-Type": "application/json"},
        body=written(message),
        system=system,
    )
    call.exchange.task = task
    body = json.dumps({"detail": str(problem)}, ensure_ascii=False)
    headers = {"Content-Type": "application/json"}
    intake.finished(call, status=problem.status, headers=headers, body=body, problem=problem)


def written(message: Message) -> str:
    """The message as JSON, without what is empty; of files the names."""
    said: dict[str, Any] = {"operation": message.operation}
    for each in fields(message):
        value = getattr(message, each.name)
        if each.name == "files":
            value = [{"name": file.name, "size": file.size} for file in value]
        if value not in ("", None, (), [], False) and (each.default is MISSING or value != each.default):
            said[each.name] = value.isoformat() if isinstance(value, datetime) else value
    return json.dumps(said, ensure_ascii=False)


def read_again(exchange: Exchange) -> Message:
    """The message of a recorded exchange. Raises `Malformed`, also for files: they are fetched by the next look."""
    try:
        said = json.loads(exchange.request_body)
        kind = KINDS[said.pop("operation")]
        if "files" in said:
            raise Malformed(_("Files are not kept with the message: have the ticket looked at again."))
        for name in ("written_at", "expected_resolution_at"):
            if name in said:
                said[name] = parse_datetime(said[name])
        return kind(**said)
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise Malformed(_("What is stored of this message cannot be read again.")) from error


def mark_broken_off(system: ExternalSystem) -> None:
    """Whoever has just claimed the desk: what another worker had under way is done again."""
    asked = Q(way=Way.OUT, operation__in=READS, step=None)
    taken = Q(way=Way.IN, method=POLLED, dialect=DIALECT, replay_of=None)
    Exchange.objects.filter(asked | taken, system=system, outcome=Outcome.SENDING).update(
        outcome=Outcome.RETRYABLE, error=_("The worker ended in the middle of this; the next poll does it again.")
    )
