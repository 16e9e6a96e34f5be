"""Webhooks of the catalogue's desks: signed as each documents it, they have the ticket looked at."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from integrations.catalogue import codes, load
from integrations.engine.references import store_reference
from integrations.models import Exchange, Hook, TheirTicket, Way
from tests.integrations.catalogue.contract import Contract

pytestmark = pytest.mark.django_db

SECRET = "aGVsbG8gZnJvbSB0aGUgb3RoZXIgZGVzaw=="
NUMBER, INTERNAL = "1001", "77"


def digest(algorithm: Any, content: bytes, key: bytes = SECRET.encode()) -> bytes:
    """The HMAC of the content."""
    return hmac.new(key, content, algorithm).digest()


def zendesk(body: bytes) -> dict[str, str]:
    """Zendesk, Verifying webhook authenticity: base64 over timestamp and body."""
    moment = timezone.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    signature = base64.b64encode(digest(hashlib.sha256, moment.encode() + body)).decode()
    return {"X-Zendesk-Webhook-Signature": signature, "X-Zendesk-Webhook-Signature-Timestamp": moment}


def zammad(body: bytes) -> dict[str, str]:
    """Zammad, Webhook: HMAC SHA-1 over the body."""
    return {"X-Hub-Signature": f"sha1={digest(hashlib.sha1, body).hex()}", "X-Zammad-Delivery": "f8c3"}


def jira(body: bytes) -> dict[str, str]:
    """Atlassian, Webhooks, Secure admin webhooks: HMAC SHA-256 over the body."""
    return {"X-Hub-Signature": f"sha256={digest(hashlib.sha256, body).hex()}", "X-Atlassian-Webhook-Identifier": "1"}


def standard(body: bytes) -> dict[str, str]:
    """Standard Webhooks."""
    moment = str(int(time.time()))
    signature = digest(hashlib.sha256, f"msg_1.{moment}.".encode() + body, base64.b64decode(SECRET))
    signed = f"v1,{base64.b64encode(signature).decode()}"
    return {"webhook-id": "msg_1", "webhook-timestamp": moment, "webhook-signature": signed}


def key(_body: bytes) -> dict[str, str]:
    """A header of our own choice."""
    return {"X-Deskbridge-Key": SECRET}


CALLS = {
    "servicenow": (key, {"number": NUMBER, "sys_id": INTERNAL}),
    "zendesk": (zendesk, {"id": "e-1", "type": "zen:event-type:ticket.comment_added", "detail": {"id": NUMBER}}),
    "zammad": (zammad, {"ticket": {"id": 77, "number": NUMBER}, "article": {"id": 5}}),
    "freshservice": (key, {"ticket_id": NUMBER}),
    "jira-service-management": (
        jira,
        {"webhookEvent": "jira:issue_updated", "issue": {"id": INTERNAL, "key": NUMBER}},
    ),
    "generic-rest": (standard, {"number": NUMBER}),
}


def hooked(contract: Contract) -> Any:
    """A task that is known there, with the webhook's secret set; a sender of calls."""
    task = contract.desk.task(contract.group)
    store_reference(task=task, system=contract.system, value=NUMBER, external_id=INTERNAL)
    hook = Hook.objects.get(system=contract.system)
    hook.secret = SECRET
    hook.save()

    def send(body: bytes, headers: dict[str, str]) -> int:
        path = f"/hooks/{contract.system.code}/"
        answer = Client().generic("POST", path, body, content_type="application/json", headers=headers)
        return int(answer.status_code)

    return send


@pytest.mark.parametrize("code", CALLS)
def test_a_call_has_the_ticket_looked_at_and_a_forged_one_nothing(adopt, code):
    send = hooked(adopt(code))
    sign, content = CALLS[code]
    body = json.dumps(content).encode()
    forged = {name: value[:-2] + "xx" for name, value in sign(body).items()}
    assert send(body, forged) == 401
    assert not TheirTicket.objects.exists()
    assert send(body, sign(body)) == 200
    assert TheirTicket.objects.get().wanted_at is not None
    exchange = Exchange.objects.filter(way=Way.IN).latest("pk")
    assert (exchange.operation, exchange.outcome) == ("fetch", "succeeded")


def test_each_preset_with_a_webhook_is_called_here():
    own = {"znuny-rest", "znuny-soap"}  # theirs are called by a real one
    assert {code for code in codes() if load(code).hooks} - own == set(CALLS)
