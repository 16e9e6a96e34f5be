"""Freshservice: the documented requests and answers of version 2 of its API."""

import base64

import pytest

from integrations.models import ContactReference, ExternalReference, ProcessRun, TheirMessage
from tests.integrations.catalogue.contract import Contract, parts, run_states
from tickets.models import Task

pytestmark = pytest.mark.django_db

MADE = {"ticket": {"id": 264, "subject": "The printer is on fire", "status": 2}}
NOTED = {"conversation": {"id": 1000, "attachments": [{"id": 77}]}}
REQUESTER = {"id": 777, "first_name": "Emil", "last_name": "Ende", "primary_email": "emil@customer.test"}
REQUESTER |= {"work_phone_number": None}


@pytest.fixture
def freshservice(adopt) -> Contract:
    """An account that knows nobody and takes everything."""
    contract: Contract = adopt("freshservice", username="api-key", secret="X-secret", settings={"group_id": "156"})
    contract.answers("GET /api/v2/requesters", (200, {"requesters": []}))
    contract.answers("POST /api/v2/requesters", (201, {"requester": REQUESTER}))
    contract.answers("POST /api/v2/tickets", (201, MADE))
    contract.answers("PUT /api/v2/tickets/264", (200, MADE))
    contract.answers("POST /api/v2/tickets/264/notes", (201, NOTED))
    return contract


@pytest.fixture
def task(freshservice) -> Task:
    """A task that is known there."""
    return freshservice.give()


def test_the_requester_is_looked_up_and_created_before_the_ticket(freshservice, task):
    assert freshservice.lines == [
        "GET /api/v2/requesters?email=emil%40customer.test",
        "POST /api/v2/requesters",
        "POST /api/v2/tickets",
    ]
    basic = base64.b64encode(b"api-key:X-secret").decode()
    assert {request.headers["Authorization"] for request in freshservice.played.sent} == {f"Basic {basic}"}
    assert freshservice.body(1) == {
        "first_name": "Emil",
        "last_name": "Ende",
        "primary_email": "emil@customer.test",
        "work_phone_number": "",
    }
    assert freshservice.body(2) == {
        "subject": "The printer is on fire",
        "description": "Smoke on floor 2",
        "requester_id": 777,
        "group_id": 156,
        "priority": 2,
        "status": 2,
        "source": 2,
        "tags": [task.number],
    }
    assert ExternalReference.objects.get(task=task).value == "264"
    assert ContactReference.objects.get().value == "777"


def test_another_workspace_is_named_wherever_tickets_are_looked_for(freshservice, task):
    """Without it Freshservice answers for the primary one alone: a ticket that is there would be made again."""
    freshservice.system.settings = {**freshservice.system.settings, "workspace_id": "7"}
    freshservice.system.save()
    freshservice.answers("GET /api/v2/tickets/filter", (200, {"tickets": [{"id": 264}]}))
    freshservice.answers("GET /api/v2/tickets", (200, {"tickets": []}))
    freshservice.captured("find_ticket", task)
    assert freshservice.lines[-1].endswith("%27%22&workspace_id=7")
    freshservice.read("fetch_modified_since")
    assert freshservice.lines[-1].endswith("&page=1&per_page=50&workspace_id=7")
    assert freshservice.give() and freshservice.body()["workspace_id"] == 7


def test_our_number_is_looked_for_as_a_tag(freshservice, task):
    freshservice.answers("GET /api/v2/tickets/filter", (200, {"tickets": [{"id": 264}]}))
    assert freshservice.captured("find_ticket", task) == {"reference": 264}
    assert freshservice.lines[-1] == f"GET /api/v2/tickets/filter?query=%22tag%3A%27{task.number}%27%22"


def test_a_note_is_public_or_private(freshservice, task):
    freshservice.note(task, "It still burns")
    assert freshservice.lines == ["POST /api/v2/tickets/264/notes"]
    assert freshservice.body() == {"body": "It still burns", "private": False}
    # Notes are HTML there: what people wrote must be read as they wrote it.
    freshservice.note(task, "See <config>:\na < b & c")
    assert freshservice.body()["body"] == "See &lt;config&gt;:<br>a &lt; b &amp; c"


def test_a_file_is_a_note_with_a_form(freshservice, task):
    freshservice.attach(task)
    assert freshservice.lines == ["POST /api/v2/tickets/264/notes"]
    assert parts(freshservice.sent(), freshservice.body()) == [
        ("body", "", "", "brücke.png".encode()),
        ("private", "", "", b"false"),
        ("attachments[]", "image/png", "brücke.png", b"\x89PNG"),
    ]


def test_file_and_note_are_known_by_their_ids_so_that_neither_comes_back(freshservice, task):
    freshservice.attach(task)
    known = TheirMessage.objects.filter(task=task).order_by("kind").values_list("kind", "their_id", "origin")
    assert list(known) == [("file", "77", "ours"), ("note", "1000", "ours")]


def test_declined_and_closed_with_their_numbers(freshservice, task):
    freshservice.decline(task)
    assert freshservice.lines == ["PUT /api/v2/tickets/264", "POST /api/v2/tickets/264/notes"]
    assert (freshservice.body(0), freshservice.body(1)["body"]) == ({"status": 2}, "Still broken")
    task.refresh_from_db()
    freshservice.close(task)
    assert freshservice.body() == {"status": 5, "resolution_notes": "Replaced"}


def test_a_refusal_stops_with_their_words(freshservice, task):
    freshservice.played.server.clear()
    error = {"description": "Validation failed", "errors": [{"field": "body", "message": "It should not be blank"}]}
    freshservice.answers("POST /api/v2/tickets/264/notes", (400, error))
    freshservice.note(task, "Hello")
    assert run_states()[-1] == "attention"
    assert "Validation failed" in ProcessRun.objects.latest("pk").reason


def test_tickets_conversations_and_files_are_read(freshservice, task):
    row = {
        "id": 264,
        "subject": "x",
        "status": 4,
        "priority": 2,
        "category": None,
        "updated_at": "2026-01-31T09:45:10Z",
    }
    row |= {"responder_id": None, "group_id": 156, "due_by": "2026-02-03T09:45:10Z"}
    freshservice.answers("GET /api/v2/tickets", (200, {"tickets": [row]}))
    freshservice.forget()
    (record,) = freshservice.read("fetch_modified_since")
    assert freshservice.lines == [
        "GET /api/v2/tickets?updated_since=2026-01-31T09%3A30%3A00Z&order_type=asc&page=1&per_page=50"
    ]
    assert (record["reference"], record["status"], record["priority"], record["solution"]) == ("264", "4", "2", "")
    file = {"id": 77, "name": "a.txt", "content_type": "text/plain", "size": 3, "attachment_url": "https://s3.test/a"}
    said = {"id": 1001, "body_text": "On our way", "private": False, "from_email": None, "user_id": 5}
    said |= {"created_at": "2026-01-31T09:40:00Z", "attachments": [file]}
    freshservice.answers("GET /api/v2/tickets/264/conversations", (200, {"conversations": [said]}))
    (note,) = freshservice.read("fetch_notes", task)
    assert (note["text"], note["author"], note["visibility"]) == ("On our way", "5", "public")
    own = {**file, "id": 76, "name": "b.txt"}
    freshservice.answers(
        "GET /api/v2/tickets/264", (200, {"ticket": {**row, "attachments": [own], "conversations": [said]}})
    )
    assert [found["name"] for found in freshservice.read("fetch_attachments", task)] == ["b.txt", "a.txt"]


def test_what_is_written_and_solved_there_arrives_here_and_a_file_of_ours_does_not_come_back(freshservice, task):
    row = {"id": 264, "subject": "x", "status": 4, "priority": 2, "category": None, "due_by": None}
    row |= {"updated_at": "2026-01-31T09:45:10Z", "responder_id": None, "group_id": 156}
    row |= {"attachments": [], "resolution_notes": "<p>Replaced</p>"}
    freshservice.answers("GET /api/v2/tickets", (200, {"tickets": [row]}))
    freshservice.answers("GET /api/v2/tickets/264", (200, {"ticket": row}))
    said = {"private": False, "from_email": None, "user_id": 5, "created_at": "2026-01-31T09:40:00Z"}
    sent = {"id": 77, "name": "a.png"}
    conversations = [
        {**said, "id": 1000, "body_text": "a.png", "attachments": [sent]},
        {**said, "id": 1001, "body_text": "On our way", "attachments": []},
    ]
    freshservice.answers("GET /api/v2/tickets/264/conversations", (200, {"conversations": conversations}))
    freshservice.poll()
    task.refresh_from_db()
    assert (task.phase, task.solution, freshservice.notes(task)) == ("review", "Replaced", ["On our way"])
