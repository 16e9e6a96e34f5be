"""Zendesk: the documented requests and answers of the Support API."""

import base64

import pytest

from integrations.models import ContactReference, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, run_states
from tests.integrations.engine.conftest import pass_time
from tickets.models import Task

pytestmark = pytest.mark.django_db

TICKET = "/api/v2/tickets/35436"
MADE = {"ticket": {"id": 35436, "subject": "The printer is on fire", "status": "new"}}
COMMENTED = {
    **MADE,
    "audit": {"id": 7, "events": [{"id": 9, "type": "Change"}, {"id": 206091192546, "type": "Comment"}]},
}
PRIVATE = {"public": False}


@pytest.fixture
def zendesk(adopt) -> Contract:
    """An account that knows nobody and takes everything."""
    contract: Contract = adopt("zendesk", username="agent@example.com/token", settings={"group_id": "98738"})
    contract.answers("GET /api/v2/users/search", (200, {"users": [], "count": 0}))
    contract.answers("POST /api/v2/users", (201, {"user": {"id": 9873843, "name": "Emil Ende"}}))
    contract.answers("POST /api/v2/tickets", (201, MADE))
    contract.answers(f"PUT {TICKET}", (200, COMMENTED))
    return contract


@pytest.fixture
def task(zendesk) -> Task:
    """A task that is known there."""
    return zendesk.give()


@pytest.mark.parametrize(
    ("ours", "theirs", "known"),
    [
        ("emil@customer.test", ["Emil@customer.test"], 1),
        # Found by an address that is not the first one there.
        ("emil@customer.test", ["ende@customer.test"], 1),
        ("emil@customer.test", ["ende@customer.test", "emil@customer.test"], 2),
        ("emil@customer.test", ["ende@customer.test", "e@customer.test"], ""),
        # "*" is allowed in an address, and stands for anything in their search.
        ("*@customer.test", ["boss@customer.test"], ""),
    ],
)
def test_nobody_else_is_taken_for_the_person(adopt, desk, ours, theirs, known):
    zendesk = adopt("zendesk")
    desk.contact.email = ours
    desk.contact.save()
    task = zendesk.desk.task(zendesk.group)
    users = [{"id": number, "name": "Emil", "email": email} for number, email in enumerate(theirs, 1)]
    zendesk.answers("GET /api/v2/users/search", (200, {"users": users}))
    assert zendesk.captured("find_contact", task) == {"contact": known}


def test_the_requester_is_looked_up_and_created_before_the_ticket(zendesk, task):
    assert zendesk.lines == [
        "GET /api/v2/users/search?query=email%3Aemil%40customer.test",
        "POST /api/v2/users",
        "POST /api/v2/tickets",
    ]
    basic = base64.b64encode(b"agent@example.com/token:s3cret-of-the-desk").decode()
    assert {request.headers["Authorization"] for request in zendesk.played.sent} == {f"Basic {basic}"}
    assert zendesk.body(1) == {
        "user": {
            "name": "Emil Ende",
            "email": "emil@customer.test",
            "role": "end-user",
            "skip_verify_email": True,
        }
    }
    assert zendesk.body(2) == {
        "ticket": {
            "external_id": task.number,
            "subject": "The printer is on fire",
            "comment": {"body": "Smoke on floor 2", "public": True},
            "requester_id": 9873843,
            "group_id": 98738,
            "priority": "normal",
            "tags": ["deskbridge"],
            "metadata": {"deskbridge": task.number},
        }
    }
    assert zendesk.sent(2).headers["Idempotency-Key"]
    assert ExternalReference.objects.get(task=task).value == "35436"
    assert ContactReference.objects.get().value == "9873843"


def test_a_create_of_unknown_outcome_is_looked_for_by_our_number(zendesk):
    zendesk.played.server.clear()
    zendesk.answers("GET /api/v2/users/search", (200, {"users": [{"id": 1}], "count": 1}))
    zendesk.answers("POST /api/v2/tickets", (504, "Gateway Timeout"))
    zendesk.answers("GET /api/v2/tickets", (200, {"tickets": [{"id": 35436}], "count": 1}))
    task = zendesk.give()
    pass_time()
    assert zendesk.lines[-1] == f"GET /api/v2/tickets?external_id={task.number}"
    assert ExternalReference.objects.get(task=task).value == "35436"
    assert [line.split()[0] for line in zendesk.lines].count("POST") == 1


def test_a_note_carries_our_id_in_its_metadata(zendesk, task):
    zendesk.note(task, "It still burns")
    assert zendesk.lines == [f"PUT {TICKET}"]
    sent = zendesk.body()["ticket"]
    assert sent["comment"] == {"body": "It still burns", "public": True}
    assert sent["metadata"]["deskbridge"].startswith("note-")
    assert ProcessRun.objects.latest("pk").steps.get(name="note").captures == {"message_id": 206091192546}


def test_a_file_is_uploaded_and_put_into_a_comment(zendesk, task):
    zendesk.answers("POST /api/v2/uploads", (201, {"upload": {"token": "6bk3gql82em5nmf", "attachment": {"id": 1}}}))
    zendesk.attach(task)
    assert zendesk.lines == ["POST /api/v2/uploads?filename=br%C3%BCcke.png", f"PUT {TICKET}"]
    assert (zendesk.body(0), zendesk.sent(0).headers["Content-Type"]) == (b"\x89PNG", "image/png")
    assert zendesk.body()["ticket"]["comment"] == {
        "body": "brücke.png",
        "public": True,
        "uploads": ["6bk3gql82em5nmf"],
    }


def test_declined_is_open_again_and_closed_is_solved(zendesk, task):
    zendesk.decline(task)
    assert zendesk.body()["ticket"]["status"] == "open"
    assert zendesk.body()["ticket"]["comment"]["body"] == "Still broken"
    task.refresh_from_db()
    zendesk.close(task)
    assert zendesk.body()["ticket"] == {
        "status": "solved",
        "comment": {"body": "Replaced", "public": True},
        "metadata": {"deskbridge": task.number},
    }


def test_a_refusal_stops_with_their_words(zendesk, task):
    zendesk.played.server.clear()
    error = {"error": "RecordInvalid", "description": "Record validation errors", "details": {"status": []}}
    zendesk.answers(f"PUT {TICKET}", (422, error))
    zendesk.note(task, "Hello")
    assert run_states()[-1] == "attention"
    assert "Record validation errors" in ProcessRun.objects.latest("pk").reason


def test_the_incremental_export_is_followed_by_its_cursor(zendesk):
    row = {
        "id": 35436,
        "updated_at": "2026-01-31T09:45:10Z",
        "subject": "x",
        "status": "solved",
        "priority": "normal",
    }
    row |= {"assignee_id": None, "group_id": 98738}
    page = {"tickets": [row], "after_cursor": "MTU3NjYxMzUzOS4wfHw0Njc=", "end_of_stream": False}
    zendesk.answers("GET /api/v2/incremental/tickets/cursor", (200, page))
    (record,) = zendesk.read("fetch_modified_since")
    zendesk.read("fetch_modified_since", poll={"next": "MTU3NjYxMzUzOS4wfHw0Njc="})
    assert zendesk.lines == [
        "GET /api/v2/incremental/tickets/cursor?start_time=1769851710&per_page=50",
        "GET /api/v2/incremental/tickets/cursor?cursor=MTU3NjYxMzUzOS4wfHw0Njc%3D&per_page=50",
    ]
    assert (record["reference"], record["status"], record["assignee"]) == ("35436", "solved", "")
    assert zendesk.captured("fetch_modified_since") == {"next": "MTU3NjYxMzUzOS4wfHw0Njc="}


def test_comments_are_read_with_names_and_files_with_their_addresses(zendesk, task):
    comments = [
        {"id": 1, "plain_body": "Ours", "public": True, "author_id": 5, "metadata": {"custom": {"deskbridge": "n"}}},
        {"id": 2, "plain_body": "Theirs", "public": False, "author_id": 6, "metadata": {"custom": {}}},
    ]
    file = {"id": 498483, "file_name": "crash.log", "content_type": "text/plain", "size": 2532}
    file |= {"content_url": "https://company.zendesk.com/attachments/crash.log"}
    for comment, files in zip(comments, ([], [file]), strict=True):
        comment |= {"created_at": "2026-01-31T09:40:00Z", "attachments": files}
    users = [{"id": 6, "name": "Johnny Agent"}]
    zendesk.answers(f"GET {TICKET}/comments", (200, {"comments": comments, "users": users}))
    ours, theirs = zendesk.read("fetch_notes", task)
    assert (ours["ours"], theirs["ours"], theirs["author"], theirs["visibility"]) == (
        True,
        False,
        "Johnny Agent",
        "internal",
    )
    assert zendesk.read("fetch_attachments", task) == [
        {
            "id": 498483,
            "name": "crash.log",
            "content_type": "text/plain",
            "size": 2532,
            "url": "https://company.zendesk.com/attachments/crash.log",
        }
    ]


def test_files_are_found_behind_pages_of_comments_without_any(zendesk, task):
    file = {"id": 498483, "file_name": "crash.log", "content_type": "text/plain", "size": 7}
    file |= {"content_url": f"{zendesk.system.base_url}/attachments/token/abc/?name=crash.log"}
    said = {"public": True, "author_id": 6, "created_at": "2026-01-31T09:40:00Z", "metadata": {}, "plain_body": ""}
    row = {"id": 35436, "updated_at": "2026-01-31T09:45:10Z", "subject": "x", "status": "open"}
    row |= {"priority": "normal", "assignee_id": 6, "group_id": 98738}
    page = {"tickets": [row], "after_cursor": "MTU3", "end_of_stream": True}
    zendesk.answers("GET /api/v2/incremental/tickets/cursor", (200, page))
    zendesk.answers(f"GET {TICKET}", (200, {"ticket": row}))
    first = {"comments": [{**said, "id": 1, "attachments": []}], "next_page": "https://company.zendesk.com/x?page=2"}
    second = {"comments": [{**said, "id": 2, "attachments": [file]}], "next_page": None}
    whole = {"comments": [], "users": []}
    zendesk.answers(f"GET {TICKET}/comments", (200, whole), (200, first), (200, second), (200, whole), (200, second))
    zendesk.answers("GET /attachments/token/abc/", (200, "content"))
    zendesk.poll()
    assert list(task.attachments.values_list("name", flat=True)) == ["crash.log"]


def test_what_is_written_and_solved_there_arrives_here_and_ours_does_not_come_back(zendesk, task):
    row = {"id": 35436, "updated_at": "2026-01-31T09:45:10Z", "subject": "x", "status": "solved"}
    row |= {"priority": "normal", "assignee_id": 6, "group_id": 98738}
    page = {"tickets": [row], "after_cursor": "MTU3", "end_of_stream": True}
    zendesk.answers("GET /api/v2/incremental/tickets/cursor", (200, page))
    zendesk.answers(f"GET {TICKET}", (200, {"ticket": row}))
    said = {"public": True, "author_id": 6, "created_at": "2026-01-31T09:40:00Z", "attachments": []}
    comments = [
        {**said, "id": 1, "plain_body": "Smoke on floor 2", "metadata": {"custom": {"deskbridge": task.number}}},
        {**said, "id": 2, "plain_body": "Replaced the toner", "metadata": {"custom": {}}},
    ]
    users = [{"id": 6, "name": "Johnny Agent"}]
    zendesk.answers(f"GET {TICKET}/comments", (200, {"comments": comments, "users": users}))
    zendesk.poll()
    task.refresh_from_db()
    assert (task.phase, zendesk.notes(task)) == ("review", ["Replaced the toner"])
