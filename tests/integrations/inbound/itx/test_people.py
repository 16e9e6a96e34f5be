"""Whom a desk may name by their numbers: nobody reads names and addresses by guessing."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from tests.integrations.inbound.itx.conftest import Catalogue, Itx
from tickets import actions
from tickets.actors import Actor
from tickets.models import Contact, Member


@pytest.fixture
def itx(itx: Itx) -> Itx:
    """Northwind, which may name only people whom it knows."""
    itx.desk.system.may_name_anybody = False
    itx.desk.system.save()
    return itx


def raises_for(contact: Contact, **more: Any) -> dict[str, Any]:
    """The body of a case for this contact."""
    return {"description": "No delivery", "entityExtension": {"eeexId": contact.pk}, **more}


def test_a_stranger_is_refused_and_their_name_is_not_told(itx: Itx, catalogue: Catalogue) -> None:
    response = itx.post("itxems/case", raises_for(catalogue.contact))
    assert response.status_code == 400
    assert "Grace" not in response.content.decode()
    assert "only people of cases that you see" in response.json()["message"]
    assert not Member.objects.exists()


def test_who_takes_part_in_a_case_that_it_sees_may_be_named(itx: Itx, catalogue: Catalogue) -> None:
    ticket = itx.raised()
    actions.change_ticket(actor=Actor.system(), ticket=ticket, contact=catalogue.contact)
    assert itx.post("itxems/case", raises_for(catalogue.contact)).status_code == 201
    assert itx.write(ticket, entityExtension={"eeexId": catalogue.other_contact.pk}).status_code == 400
    ticket.refresh_from_db()
    assert ticket.contact == catalogue.contact


def test_so_it_is_with_agents_and_followers(itx: Itx, catalogue: Catalogue) -> None:
    agent = User.objects.create_user("ada", is_staff=True)
    ticket = itx.raised()
    for member in (
        {"role": 1, "user": {"userId": agent.pk}},
        {"role": 2, "contact": {"eeexId": catalogue.contact.pk}},
    ):
        assert itx.write(ticket, members=[member]).status_code == 400
    actions.set_assigned_user(actor=Actor.system(), ticket=ticket, user=agent)
    assert itx.write(itx.raised(), members=[{"role": 1, "user": {"userId": agent.pk}}]).status_code == 200


def test_a_desk_that_may_name_anybody_may(itx: Itx, catalogue: Catalogue) -> None:
    itx.desk.system.may_name_anybody = True
    itx.desk.system.save()
    assert itx.post("itxems/case", raises_for(catalogue.contact)).status_code == 201
