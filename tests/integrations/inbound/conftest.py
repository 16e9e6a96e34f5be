"""The cast: Northwind's desk with a key and a task, another desk that is an outsider, and our own first line."""

import base64
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.test import Client

from integrations.models import ExternalReference, ExternalSystem, GroupBinding, SystemKey
from tickets.actions import create_task, create_ticket
from tickets.actors import Actor
from tickets.models import AssignmentGroup, Contact, Priority, Task

AGENT = Actor.system("Agent")


@dataclass
class Desk:
    """An external system with what its people know: a key, and its group here."""

    system: ExternalSystem
    key: str
    group: AssignmentGroup
    client: Client = field(default_factory=Client)

    def get(self, path: str, **options: Any) -> Any:
        """GET below `/api/v1/` with the key."""
        return self.client.get(f"/api/v1/{path}", headers={"Authorization": f"Api-Key {self.key}"}, **options)

    def post(self, path: str, body: Any, *, key: str = "", **options: Any) -> Any:
        """POST JSON below `/api/v1/` with the API key; `key` is the idempotency key."""
        headers = {"Authorization": f"Api-Key {self.key}"}
        if key:
            headers["Idempotency-Key"] = key
        options.setdefault("content_type", "application/json")
        return self.client.post(f"/api/v1/{path}", body, headers=headers, **options)

    def basic(self) -> str:
        """The value of an Authorization header for the Workflow Service."""
        return "Basic " + base64.b64encode(f"{self.system.code}:{self.key}".encode()).decode()


def make_desk(name: str) -> Desk:
    """A desk with one integrated group; no process is bound, so nothing is sent."""
    code = name.lower()
    system = ExternalSystem.objects.create(name=name, code=code, base_url=f"https://{code}.example.com")
    group = AssignmentGroup.objects.create(name=f"{name} support", code=f"{code}-support")
    GroupBinding.objects.create(group=group, integrated=True, system=system)
    _key, secret = SystemKey.objects.create_key(system=system, name="first")
    return Desk(system, secret, group)


def make_task(desk: Desk | None, *, reference: str = "", title: str = "The printer is broken") -> Task:
    """A task given to the desk's group by our first line; with their reference, if one is given."""
    contact, _created = Contact.objects.get_or_create(email="ada@example.com", defaults={"name": "Ada Byron"})
    Priority.objects.get_or_create(code="normal", defaults={"name": "Normal", "rank": 3, "is_default": True})
    first_line, _created = AssignmentGroup.objects.get_or_create(code="first-line", defaults={"name": "First line"})
    ticket = create_ticket(actor=AGENT, title=title, contact=contact, description="It does not print.")
    task = create_task(actor=AGENT, ticket=ticket, group=desk.group if desk else None, owning_group=first_line)
    if reference and desk:
        ExternalReference.objects.create(task=task, system=desk.system, value=reference)
    return task


@pytest.fixture
def northwind(db: None) -> Desk:
    """The desk that calls us."""
    return make_desk("Northwind")


@pytest.fixture
def outsider(db: None) -> Desk:
    """Another desk, with a valid key of its own."""
    return make_desk("Fabrikam")


@pytest.fixture
def task(northwind: Desk) -> Task:
    """A task at Northwind that it has not acknowledged yet."""
    return make_task(northwind)
