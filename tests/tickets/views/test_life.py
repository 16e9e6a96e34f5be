"""What a contact is asked, and reads, of a ticket's life."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests.tickets.views.cast import Cast
from tickets import actions
from tickets.lifecycle import TicketStatus
from tickets.models import PropertyDefinition, Ticket

NEW = "/tickets/new/"
Tokens = Callable[[Client, str], dict[str, str]]


@pytest.fixture
def properties(cast: Cast) -> None:
    """Two that contacts are asked, one that is ours, one that is switched off."""
    make = PropertyDefinition.objects.create
    make(code="site", name="Site", kind="choice", choices="Bern\nBasel", for_contacts=True)
    make(code="floor", name="Floor", kind="number", for_contacts=True)
    make(code="cost", name="Cost centre")
    make(code="fax", name="Fax number", for_contacts=True, active=False)


def test_a_contact_is_asked_what_is_meant_for_contacts(
    cast: Cast, owner: Client, tokens: Tokens, properties: None
) -> None:
    form = owner.get(NEW).content.decode()
    assert all(words in form for words in ("Site", "Floor", "Basel"))
    assert not any(words in form for words in ("Cost centre", "Fax number"))
    fields = {"title": "No network", "description": "x", "property_site": "Bern", "property_floor": "2"}
    answer = owner.post(NEW, fields | {"token": tokens(owner, NEW)["new"], "property_cost": "4711"})
    ticket = Ticket.objects.get(title="No network")
    held = {row.definition.code: row.value for row in ticket.property_values.select_related("definition")}
    assert held == {"site": "Bern", "floor": "2"}
    assert "<dt>Site</dt><dd>Bern</dd>" in owner.get(answer["Location"]).content.decode()


def test_a_wrong_answer_is_refused_at_its_field_and_no_ticket_is_raised(
    cast: Cast, owner: Client, tokens: Tokens, properties: None
) -> None:
    fields = {"title": "No network", "description": "x", "property_floor": "upstairs", "property_site": "Zug"}
    answer = owner.post(NEW, fields | {"token": tokens(owner, NEW)["new"]})
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "Give a number, for example 12 or 1.5." in content
    assert "Choose one of: Bern, Basel." in content
    assert not Ticket.objects.filter(title="No network").exists()


def test_what_is_ours_is_not_shown_to_the_contact(cast: Cast, owner: Client, properties: None) -> None:
    actions.set_properties(actor=cast.desk, ticket=cast.ticket, values={"cost": "4711-SECRET"})
    actions.set_tags(actor=cast.desk, ticket=cast.ticket, names=["difficult-customer"])
    actions.set_status(
        actor=cast.desk, ticket=cast.ticket, status=TicketStatus.ON_HOLD, on_hold_comment="Waits for the boss"
    )
    content = owner.get(f"/tickets/{cast.ticket.number}/").content.decode()
    assert not any(words in content for words in ("SECRET", "difficult-customer", "Waits for the boss"))
    for word in ("SECRET", "difficult"):
        assert cast.ticket.title not in owner.get("/tickets/", {"search": word}).content.decode()


def test_on_hold_is_said_with_the_date(cast: Cast, owner: Client) -> None:
    until = timezone.now() + timedelta(days=3)
    actions.set_status(actor=cast.desk, ticket=cast.ticket, status=TicketStatus.ON_HOLD, on_hold_until=until)
    shown = timezone.localtime(until).strftime("%b %Y, %H:%M")
    for address in ("/tickets/", f"/tickets/{cast.ticket.number}/"):
        content = owner.get(address).content.decode()
        assert "On hold" in content
        assert shown in content


def test_a_hold_that_is_prolonged_reaches_the_open_page(cast: Cast, owner: Client) -> None:
    until = timezone.now() + timedelta(days=3)
    hold = {"actor": cast.desk, "ticket": cast.ticket, "status": TicketStatus.ON_HOLD}
    actions.set_status(**hold, on_hold_until=until)
    regions = owner.get(f"/tickets/{cast.ticket.number}/").context["regions"]
    seen = {region.name: region.seen for region in regions.all}
    address = f"/tickets/{cast.ticket.number}/updates/"
    assert owner.get(address, seen).status_code == 204
    actions.set_status(**hold, on_hold_until=until + timedelta(days=1))
    assert owner.get(address, seen).status_code == 200


def test_on_a_closed_ticket_the_contact_writes_by_opening_it_again(cast: Cast, owner: Client, tokens: Tokens) -> None:
    address = f"/tickets/{cast.ticket.number}/"
    token = tokens(owner, address)["note"]
    actions.close_ticket(actor=cast.desk, ticket=cast.ticket)
    answer = owner.post(f"{address}note/", {"token": token, "body": "It is back."})
    assert answer.status_code == 422
    assert "It is back.</textarea>" in answer.content.decode()
    assert Ticket.objects.get(pk=cast.ticket.pk).is_closed
