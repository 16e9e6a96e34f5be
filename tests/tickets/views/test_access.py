"""Who may open which page."""

import pytest
from django.test import Client
from django.urls import get_resolver, reverse

from tests.tickets.views.cast import Cast
from tickets import actions
from tickets.models import Ticket

OF_A_TICKET = ["detail", "updates", "note", "accept", "decline", "close", "reopen", "attachment"]
CHANGES = ["note", "accept", "decline", "close", "reopen"]


def address(name: str, cast: Cast) -> str:
    """The address of one of the ticket's pages."""
    arguments = [cast.ticket.number, cast.file.pk] if name == "attachment" else [cast.ticket.number]
    return reverse(f"tickets:{name}", args=arguments)


def test_every_address_of_a_ticket_is_in_the_tests_below() -> None:
    names = {name for name in get_resolver("tickets.urls").reverse_dict if isinstance(name, str)}
    assert names == {*OF_A_TICKET, "home", "list", "new"}


@pytest.mark.parametrize("name", OF_A_TICKET)
def test_another_contacts_ticket_is_not_there(name: str, cast: Cast, outsider: Client) -> None:
    assert (outsider.get(address(name, cast)).status_code == 404) or name in CHANGES
    assert outsider.post(address(name, cast), {"body": "hello"}).status_code in ({404} if name in CHANGES else {405})


@pytest.mark.parametrize("name", CHANGES)
def test_an_outsiders_form_changes_nothing(name: str, cast: Cast, outsider: Client) -> None:
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    cast.task.refresh_from_db()
    before = (cast.ticket.history.count(), Ticket.objects.get(pk=cast.ticket.pk).status)
    fields = {
        "token": "9b2c3a1e-7b0e-4a55-9d53-0d1e4f8a7c66",
        "body": "mine now",
        "reason": "mine now",
        "why": "fulfilled",
        "task": cast.task.pk,
        "version": cast.task.version,
    }
    assert outsider.post(address(name, cast), fields).status_code == 404
    assert (cast.ticket.history.count(), Ticket.objects.get(pk=cast.ticket.pk).status) == before


@pytest.mark.parametrize("name", [*OF_A_TICKET, "list", "new"])
def test_who_is_not_signed_in_is_asked_to(name: str, cast: Cast, client: Client) -> None:
    target = address(name, cast) if name in OF_A_TICKET else reverse(f"tickets:{name}")
    for answer in (client.get(target), client.post(target)):
        assert answer.status_code == 405 or answer["Location"].startswith("/accounts/login/?next=/tickets/")


def test_a_page_that_asks_for_news_after_its_session_ended_is_told_so(cast: Cast, client: Client) -> None:
    assert client.get(address("updates", cast), headers={"HX-Request": "true"}).status_code == 401


@pytest.mark.parametrize("name", ["list", "new", "detail", "attachment"])
def test_staff_without_a_contact_are_led_to_the_admin(name: str, cast: Cast, client: Client) -> None:
    client.force_login(cast.agent)
    target = address(name, cast) if name in OF_A_TICKET else reverse(f"tickets:{name}")
    assert client.get(target)["Location"] == reverse("admin:index")


def test_a_user_without_a_contact_is_told_what_to_do(cast: Cast, client: Client) -> None:
    client.force_login(cast.nobody)
    answer = client.get(reverse("tickets:list"))
    assert answer.status_code == 403
    assert "Ask your administrator to link it" in answer.content.decode()


def test_the_front_door_leads_to_the_tickets_or_to_signing_in(cast: Cast, client: Client) -> None:
    assert client.get("/")["Location"] == "/accounts/login/"
    client.force_login(cast.owner)
    assert client.get("/")["Location"] == "/tickets/"


@pytest.mark.parametrize("name", ["list", "new", "detail"])
def test_pages_allow_scripts_of_the_portal_only_and_are_not_kept(name: str, cast: Cast, owner: Client) -> None:
    target = address(name, cast) if name in OF_A_TICKET else reverse(f"tickets:{name}")
    answer = owner.get(target)
    assert "script-src 'self';" in answer["Content-Security-Policy"] + ";"
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert "no-store" in answer["Cache-Control"]
    assert "<script>" not in answer.content.decode()


@pytest.mark.parametrize("name", CHANGES)
def test_a_form_without_the_csrf_token_is_refused(name: str, cast: Cast) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(cast.owner)
    answer = browser.post(address(name, cast), {"body": "x"})
    assert answer.status_code == 403
    assert "open for too long" in answer.content.decode()


@pytest.mark.parametrize("name", CHANGES)
def test_opening_a_forms_own_address_leads_to_the_ticket(name: str, cast: Cast, owner: Client) -> None:
    assert owner.get(address(name, cast))["Location"] == address("detail", cast)
