"""Northwind speaks ITX: what it presents, its cases, and what it can name in them."""

from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client

from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets import actions
from tickets.models import Category, Contact, OwnStatus, Priority, Queue, Task, Ticket


@dataclass
class Itx:
    """A desk that calls us in this dialect."""

    desk: Desk

    @property
    def values(self) -> dict[str, str]:
        """The three values."""
        return {
            "tokenv2": self.desk.key,
            "rcntrl": self.desk.key.partition(".")[0],
            "ccntrl": self.desk.system.code,
        }

    def get(self, path: str, **query: Any) -> Any:
        """GET below `/rest/`."""
        return Client().get(f"/rest/{path}", query, headers=self.values)

    def post(self, path: str, body: Any, *, key: str = "", **options: Any) -> Any:
        """POST JSON below `/rest/`."""
        headers = self.values | ({"Idempotency-Key": key} if key else {})
        options.setdefault("content_type", "application/json")
        return Client().post(f"/rest/{path}", body, headers=headers, **options)

    def upload(self, case: int, **files: Any) -> Any:
        """A form to `corefile`."""
        address = f"/rest/core/corefile?tblId=35007&type=3&id={case}"
        return Client().post(address, files, headers=self.values)

    def case(self, ticket: Ticket | int, *parts: str) -> dict[str, Any]:
        """The case as it is read, with its parts (`getMembers` ...)."""
        pk = ticket if isinstance(ticket, int) else ticket.pk
        (found,) = self.post("itxems/cases/search", {"eactIds": [pk], **dict.fromkeys(parts, True)}).json()
        return dict(found)

    def write(self, ticket: Ticket | int, **values: Any) -> Any:
        """Change a case."""
        pk = ticket if isinstance(ticket, int) else ticket.pk
        return self.post("itxems/case", {"eactId": pk, **values})

    def raised(self, **values: Any) -> Ticket:
        """A case that this desk has raised."""
        response = self.post("itxems/case", {"description": "No delivery", **values})
        assert response.status_code == 201, response.content
        return Ticket.objects.get(pk=response.json()["eactId"])


@dataclass
class Catalogue:
    """Records that a case names by their primary keys."""

    contact: Contact
    other_contact: Contact
    category: Category
    urgent: Priority
    normal: Priority
    queue: Queue
    waiting: OwnStatus


@pytest.fixture
def catalogue(db: None) -> Catalogue:
    """Two contacts, a category, two priorities, a queue, and an own status that belongs to Open."""
    return Catalogue(
        contact=Contact.objects.create(name="Grace Hopper", email="grace@example.com"),
        other_contact=Contact.objects.create(name="Alan Turing", email="alan@example.com"),
        category=Category.objects.create(code="hardware", name="Hardware"),
        urgent=Priority.objects.create(code="urgent", name="Urgent", rank=1),
        normal=Priority.objects.create(code="normal", name="Normal", rank=3, is_default=True),
        queue=Queue.objects.create(code="first", name="First"),
        waiting=OwnStatus.objects.create(code="in-work", name="In work", status=1),
    )


@pytest.fixture
def itx(northwind: Desk, catalogue: Catalogue) -> Itx:
    """Northwind, which may name anybody."""
    northwind.system.may_name_anybody = True
    northwind.system.save()
    return Itx(northwind)


@pytest.fixture
def stranger(outsider: Desk) -> Itx:
    """Another desk with values of its own."""
    return Itx(outsider)


@pytest.fixture
def given(itx: Itx) -> Task:
    """A task that our first line has given to Northwind: its ticket is a case that it did not raise."""
    return make_task(itx.desk)


def second_task(ticket: Ticket, desk: Desk | None) -> Task:
    """Another task of the ticket, at this desk or with our own people."""
    return actions.create_task(actor=AGENT, ticket=ticket, group=desk.group if desk else None)


def refused(response: Any) -> tuple[int, str, set[str]]:
    """Status, code and the named fields of a refusal in the dialect's form."""
    assert response["Content-Type"] == "application/json"
    body = response.json()
    assert set(body) == {"errorCode", "message", "fields"}
    assert body["message"]
    return response.status_code, body["errorCode"], set(body["fields"])
