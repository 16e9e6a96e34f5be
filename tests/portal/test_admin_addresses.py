"""Every address of the administration, taken from the URL configuration: nothing there for strangers."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import get_resolver

# What everybody needs in order to sign in or out, and the scripts' words, which say nothing of anybody.
OPEN = {"admin/login/", "admin/logout/", "admin/jsi18n/"}
# Asked by a page that is open while its user is signed out: it answers with nothing but "load the page again".
OVERVIEW = "admin/overview/"
# A staff user without permissions has a first page, with nothing on it, and a password.
OF_ALL_STAFF = OPEN | {"admin/", "admin/password_change/", "admin/password_change/done/", OVERVIEW, "admin/search/"}


def routes(patterns: Any, before: str = "") -> Iterator[str]:
    """Every route below these patterns."""
    for pattern in patterns:
        route = before + str(pattern.pattern)
        if hasattr(pattern, "url_patterns"):
            yield from routes(pattern.url_patterns, route)
        else:
            yield route


def paths() -> list[tuple[str, str]]:
    """Route and an address that fits it."""
    found = [route for route in routes(get_resolver().url_patterns) if route.startswith("admin/")]
    return [(route, "/" + re.sub(r"<[^>]+>", "1", route)) for route in found if "(?P" not in route]


def is_turned_away(answer: Any) -> bool:
    """Sent to sign in, or told that there is nothing."""
    return answer.status_code in (403, 404, 405) or (answer.status_code == 302 and "login" in answer["Location"])


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_stranger_is_sent_to_sign_in_everywhere(db: None, client: Client, method: str) -> None:
    answers = {route: getattr(client, method)(path) for route, path in paths() if route not in OPEN | {OVERVIEW}}
    assert len(answers) > 100
    assert [route for route, answer in answers.items() if not is_turned_away(answer)] == []


def test_a_stranger_reads_nothing_of_the_overview(db: None, client: Client) -> None:
    assert client.get(f"/{OVERVIEW}").content == b""


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_staff_user_without_permissions_reaches_nothing(db: None, client: Client, method: str) -> None:
    client.force_login(User.objects.create_user("bare", password="x", is_staff=True))
    answers = {
        route: getattr(client, method)(path).status_code for route, path in paths() if route not in OF_ALL_STAFF
    }
    assert len(answers) > 100
    assert {route: status for route, status in answers.items() if status < 300 or status >= 500} == {}
