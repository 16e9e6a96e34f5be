"""What a desk reads of a ticket's life, and by what it finds tickets."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets import actions
from tickets.lifecycle import TicketStatus
from tickets.models import OwnStatus, PropertyDefinition, Ticket


@pytest.fixture
def lived(northwind: Desk) -> Ticket:
    """A ticket with all of it, beside one without."""
    make_task(northwind, title="Another")
    make = PropertyDefinition.objects.create
    make(code="floor", name="Floor", kind="number")
    make(code="warranty", name="Warranty", kind="yes_no")
    make(code="remark", name="Remark")
    parts = OwnStatus.objects.create(name="Parts", code="parts", status=TicketStatus.ON_HOLD)
    ticket = make_task(northwind).ticket
    actions.set_status(actor=AGENT, ticket=ticket, own_status=parts)
    actions.set_tags(actor=AGENT, ticket=ticket, names=["VIP", "printer"])
    values = {"floor": 2.5, "warranty": True, "remark": "By the window"}
    actions.set_properties(actor=AGENT, ticket=ticket, values=values)
    deadline = timezone.now() - timedelta(days=1)
    return actions.change_ticket(actor=AGENT, ticket=Ticket.objects.get(pk=ticket.pk), deadline_at=deadline)


def found(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.content
    return [row["number"] for row in answer.json()["results"]]


def test_a_ticket_says_what_it_is_labelled_with(northwind: Desk, lived: Ticket) -> None:
    row = northwind.get(f"tickets/{lived.number}/").json()
    assert (row["status"], row["own_status"]) == ("On hold", "parts")
    assert row["tags"] == ["VIP", "printer"]
    assert row["properties"] == {"floor": 2.5, "warranty": True, "remark": "By the window"}
    assert row["deadline_at"] is not None


@pytest.mark.parametrize(
    "query",
    [
        "status=On hold",
        "own_status=parts",
        "tag=vip",
        "overdue=true",
        "property_floor=2.50",
        "property_warranty=yes",
        "property_remark=WINDOW",
        "property_remark=window&property_floor=2.5&tag=printer",
    ],
)
def test_a_ticket_is_found_by_what_is_read_of_it(northwind: Desk, lived: Ticket, query: str) -> None:
    assert found(northwind.get(f"tickets/?{query}")) == [lived.number]


@pytest.mark.parametrize("query", ["status=Closed", "own_status=open&overdue=true", "tag=v", "property_floor=3"])
def test_what_does_not_fit_is_not_found(northwind: Desk, lived: Ticket, query: str) -> None:
    assert found(northwind.get(f"tickets/?{query}")) == []


def test_a_property_of_anothers_ticket_finds_nothing(outsider: Desk, lived: Ticket) -> None:
    assert found(outsider.get("tickets/?property_floor=2.5")) == []


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("status=open", "status"),
        ("status=8", "status"),
        ("property_floor=upstairs", "property_floor"),
        ("property_floor=", "property_floor"),
        ("property_floor=1&property_floor=2", "property_floor"),
        ("property_roof=1", "property_roof"),
        ("property_%00=1", "property_\N{REPLACEMENT CHARACTER}"),
        ("property_remark=%00", "property_remark"),
        ("overdue=perhaps", "overdue"),
    ],
)
def test_a_filter_that_is_not_understood_is_refused_and_named(
    northwind: Desk, lived: Ticket, query: str, named: str
) -> None:
    answer = northwind.get(f"tickets/?{query}")
    assert answer.status_code == 400
    assert list(answer.json()["errors"]) == [named]


def test_a_property_that_is_switched_off_is_neither_read_nor_asked_for(northwind: Desk, lived: Ticket) -> None:
    PropertyDefinition.objects.filter(code="floor").update(active=False)
    assert "floor" not in northwind.get(f"tickets/{lived.number}/").json()["properties"]
    assert northwind.get("tickets/?property_floor=2.5").status_code == 400


def test_a_ticket_without_contact_is_read(northwind: Desk) -> None:
    ticket = actions.change_ticket(actor=AGENT, ticket=make_task(northwind).ticket, contact=None)
    assert northwind.get(f"tickets/{ticket.number}/").json()["contact"] is None
