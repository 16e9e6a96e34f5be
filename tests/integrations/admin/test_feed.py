"""The feed in the admin, its step in the form, and what was fetched in the ticket's picture."""

import lxml.html
import pytest
from django.test import Client

from integrations.models import FeedEntry, StepKind
from tests.cast import Desk, Partner
from tests.integrations.admin.conftest import Browser
from tests.integrations.engine.conftest import only_steps, work_everything
from tests.integrations.inbound.case_exchange.conftest import CES, LOGIN
from tickets.models import Task

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def published(desk: Desk, partner: Partner) -> Task:
    """A task whose assignment is in the feed."""
    only_steps(partner, {"kind": StepKind.FEED, "name": "publish"})
    task = desk.task(partner.group)
    work_everything()
    return task


def fetch(partner: Partner) -> None:
    """Poll as the desk does."""
    client = Client()
    credentials = {"login": partner.system.code, "password": partner.key()}
    client.post(LOGIN, credentials, content_type="application/json")
    assert client.get(CES).json()["meta"]["total_count"] == 1


def test_what_waits_to_be_fetched_is_found(admin: Browser, partner: Partner, published: Task) -> None:
    assert published.number in admin.get("feedentry/", fetched="no").content.decode()
    assert published.number not in admin.get("feedentry/", fetched="yes").content.decode()
    fetch(partner)
    assert published.number not in admin.get("feedentry/", fetched="no").content.decode()
    assert published.number in admin.get("feedentry/", fetched="yes", q=published.number).content.decode()


def test_an_entry_can_be_read_and_not_changed(admin: Browser, published: Task) -> None:
    page = admin.get(f"feedentry/{FeedEntry.objects.get().pk}/change/")
    text = page.content.decode()
    assert (page.status_code, "DisplayLabel" in text, "_save" in text) == (200, True, False)
    assert admin.get("feedentry/add/").status_code == 403


def test_a_fetched_entry_is_an_arrow_of_the_tickets_picture(
    admin: Browser, partner: Partner, published: Task
) -> None:
    def arrows() -> list[str]:
        page = admin.get(f"/admin/tickets/ticket/{published.ticket_id}/change/", tab="exchanges")
        links = lxml.html.fromstring(page.content.decode()).xpath("//*[local-name()='svg']//a")
        return [link.get("aria-label").split(", ", 2)[-1] for link in links]

    assert arrows() == []
    fetch(partner)
    assert arrows() == ["Deskbridge to Partner acme: assign. Succeeded"]


def test_the_run_says_that_it_waits_to_be_fetched(admin: Browser, published: Task) -> None:
    run = FeedEntry.objects.get().run
    assert run is not None
    text = admin.get(f"processrun/{run.pk}/change/").content.decode()
    assert "Published: it waits to be fetched." in text
    assert "Publish to the feed" in text
