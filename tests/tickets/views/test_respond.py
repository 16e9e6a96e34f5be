"""What the contact does with a ticket."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from tests.tickets.views.cast import Cast
from tickets import actions
from tickets.events import Event, EventName, happened
from tickets.models import Note, Task, Ticket

Tokens = Callable[[Client, str], dict[str, str]]
Send = Callable[..., Any]


@pytest.fixture
def send(cast: Cast, owner: Client, tokens: Tokens) -> Send:
    """Send one of the forms of the ticket's page, as it stands there."""
    page = f"/tickets/{cast.ticket.number}/"

    def post(name: str, **fields: Any) -> Any:
        return owner.post(f"{page}{name}/", {"token": tokens(owner, page).get(name, ""), **fields})

    return post


@pytest.fixture
def solved(cast: Cast) -> Task:
    """The task with a solution that waits for an answer."""
    actions.propose_solution(actor=cast.desk, task=cast.task, solution="Turned it off.")
    cast.task.refresh_from_db()
    return cast.task


def read(task: Task) -> dict[str, int]:
    """What the form says of the solution that was read."""
    return {"task": task.pk, "version": task.version}


def test_a_message_is_a_public_note_by_the_contact_and_its_files(cast: Cast, send: Send) -> None:
    files = [SimpleUploadedFile("a.txt", b"one"), SimpleUploadedFile("b.txt", b"two")]
    answer = send("note", body="It still beeps.", files=files)
    note = Note.objects.latest("id")
    assert answer["Location"] == f"/tickets/{cast.ticket.number}/#conversation-end"
    assert (note.body, note.visibility, note.author, note.actor_kind) == (
        "It still beeps.",
        "public",
        cast.owner,
        "end_user",
    )
    assert [file.name for file in note.attachments.all()] == ["a.txt", "b.txt"]


def test_files_can_be_sent_without_a_message(cast: Cast, send: Send) -> None:
    send("note", body=" ", files=[SimpleUploadedFile("a.txt", b"one")])
    assert cast.ticket.attachments.latest("id").name == "a.txt"
    assert Note.objects.count() == 2


def test_an_empty_message_is_refused(cast: Cast, send: Send) -> None:
    answer = send("note", body="  ")
    assert answer.status_code == 422
    assert "Write a message or choose a file." in answer.content.decode()


def test_a_double_click_adds_one_note(cast: Cast, owner: Client, tokens: Tokens) -> None:
    page = f"/tickets/{cast.ticket.number}/"
    fields = {"token": tokens(owner, page)["note"], "body": "Once"}
    answers = [owner.post(f"{page}note/", fields) for _click in range(2)]
    assert {answer["Location"] for answer in answers} == {f"{page}#conversation-end"}
    assert Note.objects.filter(body="Once").count() == 1


def test_another_text_on_a_page_from_the_browsers_history_is_not_lost(
    cast: Cast, owner: Client, tokens: Tokens
) -> None:
    page = f"/tickets/{cast.ticket.number}/"
    token = tokens(owner, page)["note"]
    for body in ("First", "Second"):
        owner.post(f"{page}note/", {"token": token, "body": body})
    assert Note.objects.filter(body__in=["First", "Second"]).count() == 2


def test_accepting_closes_the_ticket(cast: Cast, send: Send, solved: Task) -> None:
    heard: list[str] = []

    def listen(event: Event, **_more: Any) -> None:
        heard.append(event.name)

    happened.connect(listen)
    try:
        assert send("accept", **read(solved)).status_code == 302
    finally:
        happened.disconnect(listen)
    assert heard == [EventName.SOLUTION_ACCEPTED, EventName.TICKET_CLOSED]
    assert Ticket.objects.get(pk=cast.ticket.pk).is_closed


def test_declining_needs_a_reason_and_keeps_the_form_open(cast: Cast, send: Send, solved: Task) -> None:
    answer = send("decline", reason="", **read(solved))
    assert answer.status_code == 422
    assert '<details id="decline-details" open>' in answer.content.decode()
    assert Task.objects.get().phase == "review"


def test_declining_gives_the_work_back_with_the_reason(cast: Cast, send: Send, solved: Task, owner: Client) -> None:
    send("decline", reason="It beeps louder.", **read(solved))
    assert Task.objects.get().phase == "initial_support"
    assert "It beeps louder." in owner.get(f"/tickets/{cast.ticket.number}/").content.decode()


@pytest.mark.parametrize("answer", ["accept", "decline"])
def test_a_solution_that_was_replaced_since_it_was_read_is_not_judged(
    answer: str, cast: Cast, send: Send, solved: Task
) -> None:
    actions.propose_solution(actor=cast.desk, task=solved, solution="Bought a new one.")
    refused = send(answer, reason="My long reason", **read(solved))
    content = refused.content.decode()
    assert refused.status_code == 422
    assert "The solution was changed in the meantime" in content
    assert "Bought a new one." in content
    assert ("My long reason" in content) == (answer == "decline")
    assert Task.objects.get().phase == "review"
    current = Task.objects.get()
    assert send(answer, reason="My long reason", **read(current)).status_code == 302


def test_an_answer_to_a_solution_that_is_gone_keeps_what_was_written(cast: Cast, send: Send, solved: Task) -> None:
    version = read(solved)
    actions.decline_solution(actor=cast.desk, task=solved, reason="No")
    refused = send("decline", reason="My long reason", token="9b2c3a1e-7b0e-4a55-9d53-0d1e4f8a7c66", **version)
    assert "There is no solution to answer any more" in refused.content.decode()
    assert "My long reason" in refused.content.decode()


@pytest.mark.parametrize("why", ["fulfilled", "withdrawn_by_user"])
def test_the_contact_closes_the_ticket_and_says_why(why: str, cast: Cast, send: Send) -> None:
    assert send("close", why=why).status_code == 302
    assert Ticket.objects.get(pk=cast.ticket.pk).is_closed
    assert Task.objects.get().completion_code == why


@pytest.mark.parametrize("why", ["", "abandoned_by_user", "nonsense"])
def test_only_the_offered_reasons_close(why: str, cast: Cast, send: Send) -> None:
    assert send("close", why=why).status_code == 422
    assert not Ticket.objects.get(pk=cast.ticket.pk).is_closed


def test_a_closed_ticket_is_opened_again_with_a_reason(cast: Cast, send: Send, owner: Client) -> None:
    actions.close_ticket(actor=cast.desk, ticket=cast.ticket)
    assert send("reopen", reason="").status_code == 422
    assert send("reopen", reason="It beeps again.").status_code == 302
    assert not Ticket.objects.get(pk=cast.ticket.pk).is_closed
    assert "It beeps again." in owner.get(f"/tickets/{cast.ticket.number}/").content.decode()


def test_a_message_to_a_ticket_closed_meanwhile_becomes_the_reason_to_open_it(
    cast: Cast, owner: Client, tokens: Tokens
) -> None:
    page = f"/tickets/{cast.ticket.number}/"
    token = tokens(owner, page)["note"]
    actions.close_ticket(actor=cast.desk, ticket=cast.ticket)
    answer = owner.post(f"{page}note/", {"token": token, "body": "One more thing"})
    assert answer.status_code == 422
    assert "was closed while you wrote" in answer.content.decode()
    assert answer.context["reopen"].typed == "One more thing"
    assert not Note.objects.filter(body="One more thing").exists()


def test_what_cannot_be_done_now_is_refused_with_a_reason(cast: Cast, send: Send, owner: Client) -> None:
    refused = send("reopen", token="9b2c3a1e-7b0e-4a55-9d53-0d1e4f8a7c66", reason="x")
    assert refused.status_code == 422
    assert "Only a closed ticket can be reopened." in refused.content.decode()


def test_where_the_organisation_does_not_permit_it_a_contact_cannot_close(
    cast: Cast, owner: Client, tokens: Any
) -> None:
    from tickets.models import Organisation

    page = f"/tickets/{cast.ticket.number}/"
    fields = {"token": tokens(owner, page)["close"], "why": "fulfilled"}
    cast.ticket.contact.organisation = Organisation.objects.create(name="Strict Ltd", contacts_may_close=False)
    cast.ticket.contact.save()
    assert "close-details" not in owner.get(page).content.decode()
    answer = owner.post(f"{page}close/", fields)
    assert answer.status_code == 422
    assert "closed by our agents" in answer.content.decode()
    cast.ticket.refresh_from_db()
    assert not cast.ticket.is_closed
