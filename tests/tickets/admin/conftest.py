"""An agent at work, and one who may only look."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.urls import reverse

from tests.cast import Desk
from tickets.models import Ticket


def may(user: User, *actions: str) -> User:
    """Give the user these permissions ("view", "add", "change") on everything of the desk."""
    for action in actions:
        found = Permission.objects.filter(content_type__app_label="tickets", codename__startswith=f"{action}_")
        user.user_permissions.add(*found)
    return user


@pytest.fixture
def agent(desk: Desk) -> Client:
    """A browser in which the agent is signed in."""
    desk.service_desk.members.add(desk.agent)
    client = Client()
    client.force_login(may(desk.agent, "view", "add", "change"))
    return client


@pytest.fixture
def viewer(desk: Desk) -> Client:
    """A browser in which a staff user is signed in who may look at everything and change nothing."""
    client = Client()
    client.force_login(may(User.objects.create_user("vera", is_staff=True), "view"))
    return client


def page_of(ticket: Ticket) -> str:
    """The address of the ticket's page."""
    return reverse("admin:tickets_ticket_change", args=[ticket.pk])


def fresh(ticket: Ticket) -> Ticket:
    """As the database has it now."""
    return Ticket.objects.get(pk=ticket.pk)


@pytest.fixture
def send(agent: Client) -> Callable[..., Any]:
    """Open a form of the ticket's page, fill in what is given, send it: as a browser does."""

    def send(ticket: Ticket, do: str, task: str = "", **values: Any) -> Any:
        address = page_of(ticket)
        opened = agent.get(address, {"do": do, "task": task})
        form = opened.context["note"] if do == "note" else opened.context["opened"]
        if task and do != "note":
            form = next(card.opened for card in opened.context["cards"] if card.task.number == task)
        assert form is not None, f"the page offers no form {do}"
        shown = {field.name: field.value() for field in form}
        # What the page remembers of how it was read.
        read = {field.html_initial_name: field.value() for field in form if field.field.show_hidden_initial}
        filled = {name: value for name, value in (shown | read | values).items() if value is not None}
        return agent.post(address, {"do": do, "task": task, **filled})

    return send
