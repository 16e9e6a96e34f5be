"""Raise a ticket."""

from collections.abc import Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.tickets.views.cast import Cast
from tickets.models import Category, Priority, Ticket

NEW = "/tickets/new/"
Tokens = Callable[[Client, str], dict[str, str]]


def test_a_ticket_is_raised_with_its_files_and_shown(cast: Cast, owner: Client, tokens: Tokens) -> None:
    category = Category.objects.create(code="hardware", name="Hardware")
    answer = owner.post(
        NEW,
        {
            "token": tokens(owner, NEW)["new"],
            "title": "No network",
            "description": "Since nine.",
            "category": category.pk,
            "priority": Priority.objects.get(code="P1").pk,
            "files": [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile("b.txt", b"two")],
        },
    )
    ticket = Ticket.objects.get(title="No network")
    assert answer["Location"] == f"/tickets/{ticket.number}/"
    assert (ticket.contact, ticket.category, ticket.priority.code) == (cast.owner.contact, category, "P1")
    assert [(file.name, file.size) for file in ticket.attachments.all()] == [("a.txt", 3), ("b.txt", 3)]
    assert ticket.history.first().actor_kind == "end_user"
    assert "Your ticket was raised" in owner.get(answer["Location"]).content.decode()


def test_without_a_priority_the_usual_one_applies(cast: Cast, owner: Client, tokens: Tokens) -> None:
    owner.post(NEW, {"token": tokens(owner, NEW)["new"], "title": "No network", "description": "x"})
    assert Ticket.objects.get(title="No network").priority.code == "P3"


def test_sending_the_same_form_twice_raises_one_ticket(cast: Cast, owner: Client, tokens: Tokens) -> None:
    fields = {"token": tokens(owner, NEW)["new"], "title": "No network", "description": "x"}
    first, second = owner.post(NEW, fields), owner.post(NEW, fields)
    assert first["Location"] == second["Location"]
    assert Ticket.objects.filter(title="No network").count() == 1


def test_the_same_words_on_a_fresh_form_are_another_ticket(cast: Cast, owner: Client, tokens: Tokens) -> None:
    for _each in range(2):
        owner.post(NEW, {"token": tokens(owner, NEW)["new"], "title": "No network", "description": "x"})
    assert Ticket.objects.filter(title="No network").count() == 2


def test_what_was_typed_stays_when_something_is_missing(cast: Cast, owner: Client, tokens: Tokens) -> None:
    answer = owner.post(NEW, {"token": tokens(owner, NEW)["new"], "title": "", "description": "Long <story>"})
    content = answer.content.decode()
    assert answer.status_code == 422
    assert "Long &lt;story&gt;" in content
    assert 'aria-describedby="new-title_helptext new-title_error"' in content
    assert "<title>Error:" in content.replace("\n", "")


def test_a_form_without_its_token_can_be_sent_again(cast: Cast, owner: Client) -> None:
    answer = owner.post(NEW, {"title": "No network", "description": "x"})
    assert answer.status_code == 422
    assert "Please send it again" in answer.content.decode()
    token = answer.context["form"]["token"].value()
    assert owner.post(NEW, {"token": token, "title": "No network", "description": "x"}).status_code == 302


def test_what_an_action_refuses_is_said_on_the_form(cast: Cast, owner: Client, tokens: Tokens) -> None:
    token = tokens(owner, NEW)["new"]
    Ticket.objects.all().delete()
    Priority.objects.all().delete()
    answer = owner.post(NEW, {"token": token, "title": "No network", "description": "Kept text"})
    assert answer.status_code == 422
    assert "There are no priorities yet" in answer.content.decode()
    assert "Kept text" in answer.content.decode()


@pytest.mark.parametrize(("count", "size", "text"), [(1, 200, "larger than"), (11, 1, "at most 10 files")])
def test_files_that_are_too_large_or_too_many_are_refused(
    count: int, size: int, text: str, cast: Cast, owner: Client, tokens: Tokens, settings: object
) -> None:
    settings.MAX_ATTACHMENT_BYTES = 100
    files = [SimpleUploadedFile(f"{number}.bin", b"x" * size) for number in range(count)]
    fields = {"token": tokens(owner, NEW)["new"], "title": "No network", "description": "x", "files": files}
    answer = owner.post(NEW, fields)
    assert text in answer.content.decode()
    assert not Ticket.objects.filter(title="No network").exists()
