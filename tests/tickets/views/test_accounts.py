"""Signing in and out, and the pages for what goes wrong."""

import pytest
from django.http import HttpResponse
from django.test import Client, RequestFactory
from django.views import defaults

from tests.tickets.views.cast import PASSWORD, Cast

LOGIN = "/accounts/login/"


def test_signing_in_leads_to_the_page_that_was_asked_for(cast: Cast, client: Client) -> None:
    target = f"/tickets/{cast.ticket.number}/"
    answer = client.post(LOGIN, {"username": "olga", "password": PASSWORD, "next": target})
    assert answer["Location"] == target


def test_signing_in_never_leads_to_another_site(cast: Cast, client: Client) -> None:
    answer = client.post(LOGIN, {"username": "olga", "password": PASSWORD, "next": "https://evil.example/"})
    assert answer["Location"] == "/tickets/"


def test_a_wrong_password_is_said_and_the_name_is_kept(cast: Cast, client: Client) -> None:
    content = client.post(LOGIN, {"username": "olga", "password": "wrong"}).content.decode()
    assert "Please enter a correct username and password" in content
    assert 'value="olga"' in content


def test_signing_out_needs_a_form_and_leads_to_signing_in(cast: Cast, owner: Client) -> None:
    assert owner.get("/accounts/logout/").status_code == 405
    assert owner.post("/accounts/logout/")["Location"] == LOGIN
    assert owner.get("/tickets/")["Location"].startswith(LOGIN)


def test_too_many_attempts_are_explained(cast: Cast, client: Client, settings: object) -> None:
    settings.AXES_ENABLED = True
    settings.AXES_FAILURE_LIMIT = 2
    answers = [client.post(LOGIN, {"username": "olga", "password": "wrong"}) for _each in range(3)]
    assert answers[-1].status_code == 429
    assert "Too many attempts" in answers[-1].content.decode()


@pytest.mark.parametrize(
    ("view", "text"),
    [(defaults.bad_request, "not understood"), (defaults.permission_denied, "may not open")],
)
def test_refusals_say_what_to_do(view: object, text: str, rf: RequestFactory) -> None:
    answer = view(rf.get("/"), Exception("x"))
    assert text in answer.content.decode()


def test_the_page_for_our_own_faults_works_when_even_the_addresses_are_broken(
    rf: RequestFactory, settings: object
) -> None:
    settings.ROOT_URLCONF = "tests.no_such_module"
    answer: HttpResponse = defaults.server_error(rf.get("/"))
    assert answer.status_code == 500
    assert "Something went wrong" in answer.content.decode()
