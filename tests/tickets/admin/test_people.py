"""Contacts in the administration."""

from typing import Any

import pytest
from django.test import Client

from tests.cast import Desk
from tickets.models import Contact


@pytest.mark.parametrize("same", [{"email": "EMIL@Customer.test"}, {"login": "EMIL"}])
def test_two_spellings_of_one_address_or_login_are_one_contact(desk: Desk, admin_client: Client, same: Any) -> None:
    Contact.objects.filter(pk=desk.contact.pk).update(login="emil")
    values = {"name": "Another", "email": "another@customer.test", **same}
    answer = admin_client.post("/admin/tickets/contact/add/", values)
    assert "Another contact has this already" in answer.content.decode()
    assert not Contact.objects.filter(name="Another").exists()
    changed = {"name": "E. Ende", "email": "Emil@customer.test", "login": "Emil"}
    assert admin_client.post(f"/admin/tickets/contact/{desk.contact.pk}/change/", changed).status_code == 302
