"""A desk whose webhook signs by HMAC, with rules for comments, statuses and new tickets; and its calls."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from integrations.models import Hook, HookAuthentication, HookOperation, HookRule, UnknownTickets
from tests.integrations.inbound.conftest import Desk, make_task
from tickets.models import Task

SECRET = "a secret of theirs"
SIGNATURE = "X-Desk-Signature"
COMMENT = """reference = body.issue.key
text = body.comment.body
author = body.comment.author
message_id = body.comment.id
visibility = 'public' if body.comment.public else 'internal'"""


@dataclass
class Caller:
    """The desk's webhook sender."""

    hook: Hook
    client: Client = field(default_factory=Client)

    @property
    def path(self) -> str:
        """Where it calls."""
        return f"/hooks/{self.hook.system.code}/"

    def send(self, body: Any, *, secret: str = SECRET, delivery: str = "", **options: Any) -> Any:
        """POST what is no text as JSON, signed over its bytes."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        digest = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
        headers = {SIGNATURE: f"sha256={digest}", **({"X-Delivery": delivery} if delivery else {})}
        options.setdefault("content_type", "application/json")
        headers |= options.pop("headers", {})
        return self.client.generic("POST", options.pop("path", self.path), raw, headers=headers, **options)

    def rule(self, operation: str, *, condition: str = "", fields: str = "", **values: Any) -> HookRule:
        """One more rule, behind those there are."""
        position = self.hook.rules.count() + 1
        values.setdefault("name", f"rule {position}")
        return HookRule.objects.create(
            hook=self.hook, position=position, operation=operation, condition=condition, fields=fields, **values
        )

    def change(self, **values: Any) -> None:
        """Change the hook, whatever the admin would say."""
        Hook.objects.filter(pk=self.hook.pk).update(**values)
        self.hook.refresh_from_db()


def make_caller(desk: Desk) -> Caller:
    """A hook without rules."""
    hook = Hook.objects.create(
        system=desk.system,
        authentication=HookAuthentication.HMAC,
        header=SIGNATURE,
        prefix="sha256=",
        secret=SECRET,
        message_id="headers['x-delivery'] | default('')",
        unknown_tickets=UnknownTickets.REFUSE,
    )
    return Caller(hook)


@pytest.fixture
def caller(northwind: Desk) -> Caller:
    """Northwind's webhook, with a rule for comments."""
    made = make_caller(northwind)
    made.rule(HookOperation.UPDATE, condition="body.event == 'comment'", fields=COMMENT, name="comments")
    return made


@pytest.fixture
def ours(northwind: Desk) -> Task:
    """A task at Northwind, which knows it as NW-1."""
    return make_task(northwind, reference="NW-1")


def comment(text: str = "Which tray?", *, key: str = "NW-1", number: int = 7, public: bool = True) -> dict[str, Any]:
    """What Northwind posts of a comment."""
    return {
        "event": "comment",
        "issue": {"key": key},
        "comment": {"id": number, "body": text, "author": "Nora Lind", "public": public},
    }
