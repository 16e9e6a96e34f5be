"""Over a real socket: a desk that knows nothing of Django posts, repeats, and is refused."""

import http.client
import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
from standardwebhooks.webhooks import Webhook

from integrations.models import Hook, HookRule, Outcome
from integrations.models.exchanges import Exchange
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tests.integrations.inbound.webhook.conftest import COMMENT, comment
from tests.integrations.inbound.webhook.test_authentication import SECRETS
from tickets.models import Note

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """A desk that signs by Standard Webhooks."""
    desk = make_desk("Northwind")
    hook = Hook.objects.create(system=desk.system, secret=SECRETS[0])
    HookRule.objects.create(hook=hook, name="comments", operation="update", fields=COMMENT)
    return desk


def post(server: str, body: Any, *, secret: str = SECRETS[0], name: str = "msg_1", **headers: str) -> tuple[int, Any]:
    """One request on a connection of its own: status and answer."""
    raw = json.dumps(body, ensure_ascii=False).encode()
    moment = datetime.now(tz=UTC)
    signed = {
        "Content-Type": "application/json; charset=utf-8",
        "webhook-id": name,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": Webhook(secret).sign(name, moment, raw.decode()),
    }
    connection = http.client.HTTPConnection(urlsplit(server).netloc, timeout=10)
    try:
        connection.request("POST", "/hooks/northwind/", raw, {**signed, **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def test_a_desk_posts_its_comments(live_server: Any, northwind: Desk) -> None:
    make_task(northwind, reference="NW-1")
    assert post(live_server.url, comment("Größe 😀?")) == (200, {"status": "accepted"})
    assert post(live_server.url, comment("Größe 😀?")) == (200, {"status": "accepted"})
    assert Note.objects.get().body == "Größe 😀?"
    status, problem = post(live_server.url, comment(), secret=SECRETS[1], name="msg_2")
    assert (status, problem["code"]) == (401, "unauthenticated")
    status, problem = post(live_server.url, comment(key="NW-9"), name="msg_3")
    assert (status, problem["code"]) == (404, "not_found")
    assert list(Exchange.objects.order_by("pk").values_list("outcome", flat=True)) == [
        Outcome.SUCCEEDED,
        Outcome.REPEATED,
        Outcome.REFUSED,
        Outcome.REFUSED,
    ]
