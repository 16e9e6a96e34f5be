"""Outgoing webhooks: from an event to the deliveries that are due, written in the transaction of the change.

A delivery is a run in a stream of its own, one for each task and subscription: the engine sends it, tries again and
shows it as it does everything else, and a webhook that fails never holds up the exchange itself.
"""

import base64
import json
import secrets
import uuid
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone, translation
from rest_framework.utils.encoders import JSONEncoder
from standardwebhooks.webhooks import Webhook

from integrations.definition import BUILT_IN_WEBHOOK, current_version
from integrations.engine.streams import append
from integrations.inbound.rest.outgoing import TicketDetail
from integrations.inbound.rest.reading import tickets_read_by
from integrations.models import Direction, ExternalSystem, GroupBinding, Process, WebhookSubscription
from integrations.secrets import readable
from integrations.transports.http import Request
from integrations.visibility import binding_for, goes_to
from tickets.events import Event
from tickets.models import Attachment, Note, Task

REQUEST_TYPE = "Webhook"
TEST = "webhook_test"
SECRET_BYTES = 32


def on_event(sender: Any, event: Event, **_kwargs: Any) -> None:
    """Receiver of `tickets.events.happened`: a delivery for each subscription that wants this event and may see it.

    The desk that caused the event is not told of it.
    """
    wanted: dict[ExternalSystem, list[WebhookSubscription]] = {}
    for subscription in WebhookSubscription.objects.filter(ended_at=None).select_related("system"):
        if event.name in subscription.events and event.actor.key != subscription.system.actor_key:
            wanted.setdefault(subscription.system, []).append(subscription)
    for system, subscriptions in wanted.items():
        _tell(event, system, subscriptions)


def _tell(event: Event, system: ExternalSystem, subscriptions: Iterable[WebhookSubscription]) -> None:
    ticket = tickets_read_by(system).filter(pk=event.ticket.pk).first()
    if ticket is None:
        return
    # An attribute of the query's own.
    here: list[Task] = vars(ticket)["tasks_here"]
    for task in here:
        task.ticket = ticket
    about = [task for task in here if event.task is None or task.pk == event.task.pk]
    carrier = next(filter(None, (_carrier(event, task, system) for task in about)), None)
    if carrier is None:
        return
    task, binding = carrier
    with translation.override(settings.LANGUAGE_CODE):
        data = _plain(
            {
                "ticket": TicketDetail(ticket).data,
                "task": event.task.number if event.task is not None else None,
                "note": _note(event.note, system),
                "attachment": _attachment(event.attachment),
                "text": "" if event.note is not None or event.task is None else event.text,
                "actor": event.actor.name,
            }
        )
    for subscription in subscriptions:
        _append(event, task, binding, subscription, payload(event.name, data))


def _carrier(event: Event, task: Task, system: ExternalSystem) -> tuple[Task, GroupBinding] | None:
    """The task and its binding, if the system may learn of the event by them: words go where they would be sent."""
    binding = binding_for(task, system)
    if binding is None:
        return None
    for message in (event.note, event.attachment):
        if message is not None and not goes_to(message, task, binding):
            return None
    return task, binding


def _append(
    event: Event, task: Task, binding: GroupBinding, subscription: WebhookSubscription, body: dict[str, Any]
) -> None:
    append(
        task=task,
        system=subscription.system,
        subscription=subscription,
        version=current_version(webhook_process()),
        group=binding.group,
        operation=event.name,
        request_type=REQUEST_TYPE,
        direction=Direction.OUT,
        snapshot={
            "event": {"operation": event.name, "text": "", "actor": event.actor.name, "at": body["timestamp"]},
            "task": {"number": task.number},
            "ticket": {"number": event.ticket.number, "contact": {}},
            "attachment": {},
            "webhook": {"id": message_id(), "payload": body},
        },
        note=event.note,
        attachment=event.attachment,
    )


def payload(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """What is delivered: the event's name, when it happened, and what the desk may read of it."""
    return {"type": str(name), "timestamp": datetime.now(UTC).isoformat(timespec="milliseconds"), "data": data}


def message_id() -> str:
    """The `webhook-id` of a delivery: it stays the same however often that is sent."""
    return f"msg_{uuid.uuid4().hex}"


def webhook_process() -> Process:
    """The process whose runs are deliveries: one step, that no administrator writes."""
    return Process.objects.get_or_create(built_in=BUILT_IN_WEBHOOK, defaults={"name": "Webhooks"})[0]


def new_secret() -> str:
    """A secret as Standard Webhooks writes it."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def rotate_secret(subscription: WebhookSubscription, *, keep: timedelta) -> str:
    """Replace the secret; the old one signs for so long beside the new one. Gives the new one."""
    with transaction.atomic():
        row = WebhookSubscription.objects.select_for_update().get(pk=subscription.pk)
        row.previous_secret, row.secret = readable(row.secret) if keep else "", new_secret()
        row.previous_until = timezone.now() + keep if keep else None
        row.save()
    return row.secret


def end(subscription: WebhookSubscription, reason: str, *, by_desk: bool = False) -> None:
    """Deliver nothing more, and say why; what is due is given up when its turn comes."""
    WebhookSubscription.objects.filter(pk=subscription.pk, ended_at=None).update(
        ended_at=timezone.now(), ended_reason=reason, ended_by_desk=by_desk
    )


def reactivate(subscription: WebhookSubscription) -> None:
    """Deliver new events again. What was given up meanwhile stays given up; it can be replayed."""
    WebhookSubscription.objects.filter(pk=subscription.pk).update(
        ended_at=None, ended_by_desk=False, ended_reason="", failures=0, last_error=""
    )


def signed(request: Request, subscription: WebhookSubscription, message: str) -> Request:
    """The request with the headers of Standard Webhooks, signed now by each secret that is valid."""
    now = datetime.now(UTC)
    body = request.body.decode()
    signatures = [Webhook(readable(secret)).sign(message, now, body) for secret in subscription.secrets_at(now)]
    headers = {
        **request.headers,
        "webhook-id": message,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
    return Request(request.method, request.url, headers, request.body)


def encoded(body: dict[str, Any]) -> bytes:
    """The bytes of a payload."""
    return json.dumps(body, ensure_ascii=False).encode()


def _note(note: Note | None, system: ExternalSystem) -> dict[str, Any] | None:
    if note is None:
        return None
    return {
        "id": note.pk,
        "text": note.body,
        "visibility": str(note.visibility),
        "author": note.author_name,
        "created_at": note.created_at,
    }


def _attachment(attachment: Attachment | None) -> dict[str, Any] | None:
    """The file without its content, which the desk reads over REST."""
    if attachment is None:
        return None
    return {
        "id": attachment.pk,
        "name": attachment.name,
        "content_type": attachment.content_type,
        "size": attachment.size,
        "sha256": attachment.sha256,
        "author": attachment.author_name,
        "created_at": attachment.created_at,
    }


def _plain(data: dict[str, Any]) -> dict[str, Any]:
    """The same as JSON keeps it."""
    plain: dict[str, Any] = json.loads(json.dumps(data, cls=JSONEncoder))
    return plain
