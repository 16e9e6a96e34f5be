"""Messages to the portal: delivering them by their way, and the two faults of delivery."""

import base64
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from integrations.simulator import faults
from integrations.simulator.calling import call_portal
from integrations.simulator.case_exchange.files import keep_ours
from integrations.simulator.models import Channel, DeskSettings, FeedEntry, Note, OutgoingMessage, Ticket
from integrations.simulator.portal_case_exchange import Portal
from integrations.simulator.portal_rest import rest_request
from integrations.simulator.portal_soap import soap_request

# The Workflow Service and Case Exchange may answer 200 and say in the result that nothing was done.
_REFUSED_IN_SUCCESS = re.compile(r'<(?:\w+:)?success>\s*(?:false|0)\s*<|"completion_status":\s*"FAILED"')

_STATE_AFTER: Mapping[str, str] = {
    OutgoingMessage.Kind.SOLUTION: Ticket.State.SOLVED,
    OutgoingMessage.Kind.REJECTION: Ticket.State.CLOSED,
    OutgoingMessage.Kind.ASSIGNMENT: Ticket.State.OPEN,
    OutgoingMessage.Kind.REOPENING: Ticket.State.OPEN,
    OutgoingMessage.Kind.CANCELLATION: Ticket.State.CLOSED,
    OutgoingMessage.Kind.CLOSING: Ticket.State.CLOSED,
}


def send(
    *, ticket: Ticket, kind: str, channel: str, payload: Mapping[str, Any], message_id: str = ""
) -> OutgoingMessage:
    """Write a message and deliver it, or hold it back while "send out of order" collects a batch.

    The result is in the message: its state, and the portal's status and answer.
    """
    fault = faults.active("out_of_order", kind)
    message = OutgoingMessage.objects.create(
        ticket=ticket,
        kind=kind,
        channel=channel,
        payload={name: value for name, value in payload.items() if value not in ("", None, [])},
        message_id=message_id or f"northwind-{secrets.token_hex(8)}",
        state=OutgoingMessage.State.HELD if fault else OutgoingMessage.State.FAILED,
    )
    if fault is None:
        deliver(message)
    else:
        held = OutgoingMessage.objects.filter(state=OutgoingMessage.State.HELD)
        if held.count() >= fault.batch and faults.take("out_of_order", kind):
            release_held()
    message.refresh_from_db()
    return message


def release_held() -> int:
    """Deliver what is held back, the last one first; how many there were."""
    held = list(OutgoingMessage.objects.filter(state=OutgoingMessage.State.HELD).order_by("-id"))
    for message in held:
        deliver(message)
    return len(held)


def deliver(message: OutgoingMessage) -> None:
    """Deliver, or deliver again: the same message under the same keys; twice while "send twice" is on.

    The message keeps the first answer; the second is in the log of calls.
    """
    message.status, message.answer = _deliver_once(message)
    if faults.take("send_twice", message.kind):
        _deliver_once(message)
    succeeded = message.status is not None and 200 <= message.status < 300
    if succeeded and not _REFUSED_IN_SUCCESS.search(message.answer):
        message.state = OutgoingMessage.State.SENT
        _after_delivery(message)
    else:
        message.state = OutgoingMessage.State.FAILED
    message.save(update_fields=["status", "answer", "state"])


def acknowledge_what_is_due() -> None:
    """Acknowledge tickets whose time has come, each by one of those who look; a failure is tried again half a minute
    later."""
    settings = DeskSettings.load()
    due = Ticket.objects.filter(acknowledge_at__lte=timezone.now(), acknowledged_at=None).order_by("id")
    for ticket in due:
        mine = Ticket.objects.filter(pk=ticket.pk, acknowledge_at=ticket.acknowledge_at)
        if not mine.update(acknowledge_at=timezone.now() + timedelta(seconds=30)):
            continue
        send(
            ticket=ticket,
            kind=OutgoingMessage.Kind.ACKNOWLEDGEMENT,
            channel=settings.channel_for(ticket),
            payload={"external_reference": ticket.number},
        )


def attachment_payload(name: str, content_type: str, content: bytes) -> dict[str, str]:
    """A file as messages carry it."""
    encoded = base64.b64encode(content).decode()
    return {"name": name, "content_type": content_type or "application/octet-stream", "content": encoded}


def _deliver_once(message: OutgoingMessage) -> tuple[int | None, str]:
    """Once, by its way: the portal's status and answer; None and the reason when there was no answer."""
    settings = DeskSettings.load()
    if message.channel == Channel.FEED:
        with transaction.atomic():
            keep_ours(message)
            FeedEntry.add(message)
        return 200, _("Listed in our feed.")
    if message.channel == Channel.CASE_EXCHANGE:
        return Portal(settings).bring(message)
    request = (soap_request if message.channel == Channel.SOAP else rest_request)(message, settings)
    protocol = message.get_channel_display()
    call, _answer = call_portal(request, protocol=protocol, operation=message.kind, ticket=message.ticket)
    return call.status, call.response_body or call.problem


@transaction.atomic
def _after_delivery(message: OutgoingMessage) -> None:
    """What the portal now knows, our ticket shows too; a repeated delivery changes nothing more."""
    ticket = Ticket.objects.get(pk=message.ticket_id)
    payload = message.payload
    if message.kind == OutgoingMessage.Kind.ACKNOWLEDGEMENT:
        ticket.acknowledged_at = ticket.acknowledged_at or timezone.now()
        ticket.acknowledge_at, ticket.number_withheld = None, False
    ticket.state = _STATE_AFTER.get(message.kind, ticket.state)
    if message.kind in (OutgoingMessage.Kind.SOLUTION, OutgoingMessage.Kind.CLOSING):
        ticket.solution = payload.get("solution", "") or ticket.solution
        ticket.completion_code = payload.get("completion_code", "") or ticket.completion_code
    elif message.kind == OutgoingMessage.Kind.REOPENING:
        ticket.solution = ticket.completion_code = ""
    _own_note(ticket, message)
    ticket.save()


def _own_note(ticket: Ticket, message: OutgoingMessage) -> None:
    texts: Sequence[str] = (message.payload.get("text", ""), message.payload.get("solution", ""))
    text = next(filter(None, texts), "")
    if text and not ticket.notes.filter(message_id=message.message_id).exists():
        Note.objects.create(
            ticket=ticket,
            text=text,
            author=message.payload.get("author", ""),
            message_id=message.message_id,
            public=message.payload.get("visibility", "public") == "public",
        )
