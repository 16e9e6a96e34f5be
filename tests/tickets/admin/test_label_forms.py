"""Tags and properties on a ticket's page; what two change at once is kept."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from tests.cast import Desk
from tests.tickets.admin.conftest import page_of
from tickets import actions
from tickets.models import PropertyDefinition

Send = Callable[..., Any]


@pytest.fixture
def properties(desk: Desk) -> None:
    make = PropertyDefinition.objects.create
    make(code="floor", name="Floor", kind="number")
    make(code="site", name="Site", kind="choice", choices="Bern\nBasel")
    make(code="warranty", name="Warranty", kind="yes_no")
    make(code="since", name="Since", kind="date")
    make(code="remark", name="Remark")


def test_tags_changed_by_two_at_once_are_both_kept(desk: Desk, agent: Client, send: Send) -> None:
    ticket = desk.ticket()
    actions.set_tags(actor=desk.by_agent, ticket=ticket, names=["old", "vip"])
    form = agent.get(page_of(ticket), {"do": "tags"}).context["opened"]
    mine = {field.name: field.value() for field in form} | {"do": "tags", "initial-tags": form["tags"].value()}
    actions.change_tags(actor=desk.by_agent, ticket=ticket, add=["theirs"])
    agent.post(page_of(ticket), mine | {"tags": "VIP, mine"})
    assert {tag.name for tag in ticket.tags.all()} == {"vip", "theirs", "mine"}


def test_each_kind_of_property_has_its_input_and_its_words(
    desk: Desk, agent: Client, send: Send, properties: None
) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket), {"do": "properties"}).context["opened"]
    inputs = {name: type(field.widget).__name__ for name, field in form.fields.items() if name.startswith("prop")}
    assert inputs["property_floor"] == "NumberWidget"
    values = {"floor": "2.50", "site": "Bern", "warranty": "false", "since": "2026-01-31", "remark": "a <b>"}
    send(ticket, "properties", **{f"property_{code}": value for code, value in values.items()})
    shown = dict(agent.get(page_of(ticket)).context["facts"].properties)
    assert shown["Warranty"] == "No"
    assert (shown["Floor"], shown["Since"]) == ("2.5", "31 Jan 2026")
    send(ticket, "properties", property_site="")
    assert "Site" not in dict(agent.get(page_of(ticket)).context["facts"].properties)
    history = agent.get(page_of(ticket), {"tab": "history"}).content.decode()
    assert "Warranty:" in history
    assert "property_warranty" not in history


def test_a_wrong_property_is_refused_at_its_field(desk: Desk, send: Send, properties: None) -> None:
    page = send(desk.ticket(), "properties", property_floor="upstairs").content.decode()
    assert "Give a number, for example 12 or 1.5." in page
    assert 'value="upstairs"' in page


def test_a_property_that_somebody_else_changed_meanwhile_is_not_overwritten(
    desk: Desk, agent: Client, properties: None
) -> None:
    ticket = desk.ticket()
    form = agent.get(page_of(ticket), {"do": "properties"}).context["opened"]
    mine = {field.name: field.value() for field in form} | {"do": "properties", "property_floor": "3"}
    actions.set_properties(actor=desk.by_agent, ticket=ticket, values={"floor": 2, "site": "Basel"})
    answer = agent.post(page_of(ticket), mine)
    assert answer.status_code == 422
    assert "Somebody else changed this in the meantime: Floor." in answer.content.decode()
    held = {row.definition.code: row.value for row in ticket.property_values.select_related("definition")}
    assert held == {"floor": "2", "site": "Basel"}
