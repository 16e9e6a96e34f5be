"""A ticket's page: what its contact reads."""

import re
from datetime import timedelta

from django.http import HttpResponse
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from tests.tickets.views.cast import Cast, raise_ticket
from tickets import actions, panels
from tickets.actions import FileContent


def assert_same_page(one: HttpResponse, other: HttpResponse) -> None:
    """Byte for byte, but for the CSRF token, which is masked anew each time."""
    first, second = (
        re.sub(rb'(name="csrfmiddlewaretoken" value=")[^"]+', rb"\1", answer.content) for answer in (one, other)
    )
    assert first == second


def page(browser: Client, cast: Cast) -> str:
    """The ticket's page."""
    return browser.get(f"/tickets/{cast.ticket.number}/").content.decode()


def test_the_contact_reads_status_description_public_notes_and_files(cast: Cast, owner: Client) -> None:
    content = page(owner, cast)
    for text in ("Being worked on", "It beeps.", "We are looking into it.", "page.html", "Agnes", "Normal"):
        assert text in content


def test_nothing_internal_is_on_the_page(cast: Cast, owner: Client) -> None:
    assert "SECRET" not in page(owner, cast)


def test_facts_of_other_packages_are_shown_as_text(cast: Cast, owner: Client, monkeypatch: object) -> None:
    monkeypatch.setattr(panels, "_public_facts", [lambda ticket: [("Number at Acme", "INC<b>42</b>")]])
    content = page(owner, cast)
    assert "Number at Acme" in content
    assert "INC&lt;b&gt;42&lt;/b&gt;" in content


def test_the_expected_resolution_is_shown(cast: Cast, owner: Client) -> None:
    actions.change_task(actor=cast.desk, task=cast.task, expected_resolution_at=timezone.now() + timedelta(days=1))
    assert "Expected to be solved" in page(owner, cast)


def test_text_from_outside_is_escaped_and_its_links_are_safe(cast: Cast, owner: Client) -> None:
    body = "<img src=x onerror=alert(1)>\nsee https://example.org/a?b=1&c=2 and javascript:alert(1)"
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body=body)
    content = page(owner, cast)
    assert "<img" not in content
    assert "&lt;img src=x onerror=alert(1)&gt;\nsee" in content
    assert '<a href="https://example.org/a?b=1&amp;c=2" rel="nofollow">' in content
    assert 'href="javascript:' not in content


def test_the_number_of_queries_does_not_grow(
    cast: Cast, owner: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    page(owner, cast)
    with django_assert_max_num_queries(50) as few:
        page(owner, cast)
    with django_assert_max_num_queries(50) as few_news:
        owner.get(f"/tickets/{cast.ticket.number}/updates/")
    for number in range(15):
        files = [FileContent(f"{number}.txt", b"x")]
        actions.add_note(actor=cast.desk, ticket=cast.ticket, body="More", files=files)
        actions.create_task(actor=cast.desk, ticket=cast.ticket, group=cast.group)
    with django_assert_max_num_queries(len(few)):
        page(owner, cast)
    with django_assert_max_num_queries(len(few_news)):
        owner.get(f"/tickets/{cast.ticket.number}/updates/")


def test_a_missing_ticket_looks_like_anothers(cast: Cast, owner: Client) -> None:
    theirs = raise_ticket(cast.outsider, "Not yours")
    missing, hidden = owner.get("/tickets/999999/"), owner.get(f"/tickets/{theirs.number}/")
    assert (missing.status_code, hidden.status_code) == (404, 404)
    assert_same_page(missing, hidden)
    assert "There is nothing here" in missing.content.decode()
