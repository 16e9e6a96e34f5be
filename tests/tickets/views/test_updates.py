"""The news that a ticket's page asks for every few seconds."""

import re

import pytest
from django.test import Client

from tests.tickets.views.cast import Cast
from tickets import actions
from tickets.models import Visibility

SEEN = re.compile(r'class="seen" type="hidden" name="([a-z]+)" value="([^"]+)"')


@pytest.fixture
def seen(cast: Cast, owner: Client) -> dict[str, str]:
    """What the page showed when it was opened."""
    return dict(SEEN.findall(owner.get(f"/tickets/{cast.ticket.number}/").content.decode()))


def changed(browser: Client, cast: Cast, seen: dict[str, str]) -> set[str]:
    """The names of the parts that the page gets."""
    answer = browser.get(f"/tickets/{cast.ticket.number}/updates/", seen, headers={"HX-Request": "true"})
    assert (answer.status_code == 204) == (answer.content == b"")
    return set(re.findall(r'id="region-([a-z]+)"', answer.content.decode()))


def test_an_unchanged_ticket_costs_an_empty_answer(cast: Cast, owner: Client, seen: dict[str, str]) -> None:
    assert set(seen) == {"status", "decision", "timeline", "answer"}
    assert changed(owner, cast, seen) == set()


def test_a_new_public_note_brings_the_conversation_only(cast: Cast, owner: Client, seen: dict[str, str]) -> None:
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body="Good news")
    assert changed(owner, cast, seen) == {"timeline"}


def test_an_internal_note_brings_nothing(cast: Cast, owner: Client, seen: dict[str, str]) -> None:
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body="Hush", visibility=Visibility.INTERNAL)
    assert changed(owner, cast, seen) == set()


def test_a_solution_brings_the_question_and_leaves_the_message_alone(
    cast: Cast, owner: Client, seen: dict[str, str]
) -> None:
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    assert changed(owner, cast, seen) == {"status", "decision", "timeline"}


def test_closing_brings_everything(cast: Cast, owner: Client, seen: dict[str, str]) -> None:
    actions.close_ticket(actor=cast.desk, ticket=cast.ticket)
    assert changed(owner, cast, seen) == {"status", "timeline", "answer"}


def test_news_is_announced_with_author_and_status(cast: Cast, owner: Client, seen: dict[str, str]) -> None:
    actions.add_note(actor=cast.desk, ticket=cast.ticket, body="Good news")
    content = owner.get(f"/tickets/{cast.ticket.number}/updates/", seen).content.decode()
    announcement = content[content.index('id="announcement"') :]
    assert "Status: Being worked on." in announcement
    assert "New: Agnes wrote" in announcement
    assert "SECRET" not in content
