"""Zammad: the documented requests and answers of its REST API."""

import base64

import pytest

from integrations.models import ContactReference, ExternalReference, ProcessRun
from tests.integrations.catalogue.contract import Contract, run_states
from tickets.models import Task

pytestmark = pytest.mark.django_db

MADE = {"id": 3, "number": "22003", "title": "The printer is on fire", "state_id": 1}
USER = {
    "id": 15,
    "firstname": "Emil",
    "lastname": "Ende",
    "email": "emil@customer.test",
    "login": "emil",
    "phone": "",
}


@pytest.fixture
def zammad(adopt) -> Contract:
    """An installation that knows nobody and takes everything."""
    contract: Contract = adopt("zammad", secret="Token token=s3cret-of-the-desk", settings={"group": "Support"})
    contract.answers("GET /api/v1/users/search", (200, []))
    contract.answers("POST /api/v1/users", (201, USER))
    contract.answers("POST /api/v1/tickets", (201, MADE))
    contract.answers("PUT /api/v1/tickets/3", (200, MADE))
    contract.answers("POST /api/v1/ticket_articles", (201, {"id": 77, "attachments": [{"id": 120}]}))
    return contract


@pytest.fixture
def task(zammad) -> Task:
    """A task that is known there."""
    return zammad.give()


def test_the_customer_is_looked_up_and_created_before_the_ticket(zammad, task):
    assert zammad.lines == [
        "GET /api/v1/users/search?query=email%3A%22emil%40customer.test%22&limit=10",
        "POST /api/v1/users",
        "POST /api/v1/tickets",
    ]
    assert {request.headers["Authorization"] for request in zammad.played.sent} == {"Token token=s3cret-of-the-desk"}
    assert zammad.body(1) == {
        "firstname": "Emil",
        "lastname": "Ende",
        "email": "emil@customer.test",
        "login": "emil@customer.test",
        "phone": "",
        "roles": ["Customer"],
    }
    assert zammad.body(2) == {
        "title": "The printer is on fire",
        "group": "Support",
        "customer_id": 15,
        "priority": "2 normal",
        "note": task.number,
        "article": {
            "subject": task.number,
            "body": "Smoke on floor 2",
            "content_type": "text/plain",
            "type": "note",
            "internal": False,
        },
    }
    reference = ExternalReference.objects.get(task=task)
    assert (reference.value, reference.external_id) == ("22003", "3")
    assert ContactReference.objects.get().value == "15"


def test_a_note_is_an_article_with_our_id_as_its_subject(zammad, task):
    zammad.note(task, "It still burns")
    assert zammad.lines == ["POST /api/v1/ticket_articles"]
    sent = zammad.body()
    assert sent.pop("subject").startswith("note-")
    assert sent == {
        "ticket_id": 3,
        "body": "It still burns",
        "content_type": "text/plain",
        "type": "note",
        "internal": False,
    }


def test_a_file_goes_in_base64(zammad, task):
    zammad.attach(task)
    assert zammad.lines == ["POST /api/v1/ticket_articles"]
    assert zammad.body()["attachments"] == [
        {"filename": "brücke.png", "data": base64.b64encode(b"\x89PNG").decode(), "mime-type": "image/png"}
    ]
    assert ProcessRun.objects.latest("pk").steps.get(name="file").captures == {"message_id": 77, "attachment_id": 120}


def test_declined_and_closed_with_an_article(zammad, task):
    zammad.decline(task)
    assert (zammad.lines, zammad.body()["state"]) == (["PUT /api/v1/tickets/3"], "open")
    assert zammad.body()["article"]["body"] == "Still broken"
    task.refresh_from_db()
    zammad.close(task)
    assert (zammad.lines, zammad.body()["state"]) == (["PUT /api/v1/tickets/3"], "closed")
    assert zammad.body()["article"]["body"] == "Replaced"


def test_a_refusal_stops_with_their_words(zammad, task):
    zammad.played.server.clear()
    error = {"error": "Not authorized", "error_human": "Not authorized"}
    zammad.answers("POST /api/v1/ticket_articles", (403, error))
    zammad.note(task, "Hello")
    assert run_states()[-1] == "attention"
    assert "Not authorized" in ProcessRun.objects.latest("pk").reason


def test_tickets_are_read_by_name_and_articles_as_text(zammad, task):
    row = {"id": 3, "number": "22003", "title": "x", "updated_at": "2026-01-31T09:45:10.123Z", "state": "closed"}
    row |= {"priority": "2 normal", "owner": "jo@desk.test", "group": "Support"}
    zammad.answers("GET /api/v1/tickets/search", (200, [row]))
    zammad.forget()
    (record,) = zammad.read("fetch_modified_since")
    assert zammad.lines == [
        "GET /api/v1/tickets/search?query=updated_at%3A%5B2026-01-31T09%3A30%3A00Z%20TO%20%2A%5D"
        "&sort_by=updated_at&order_by=asc&page=1&per_page=50&expand=true"
    ]
    assert (record["reference"], record["external_id"], record["status"]) == ("22003", "3", "closed")
    articles = [
        {"id": 1, "subject": task.number, "body": "Smoke", "content_type": "text/plain", "from": "Emil Ende"},
        {"id": 2, "subject": None, "body": "<p>On &amp; on<br>now</p>", "content_type": "text/html", "from": None},
    ]
    file = {"id": 120, "filename": "a.txt", "size": "12", "preferences": {"Content-Type": "text/plain"}}
    for article, files in zip(articles, ([], [file]), strict=True):
        article |= {"ticket_id": 3, "internal": False, "created_by": "jo@desk.test", "attachments": files}
        article |= {"created_at": "2026-01-31T09:40:00Z"}
    zammad.answers("GET /api/v1/ticket_articles/by_ticket/3", (200, articles))
    ours, theirs = zammad.read("fetch_notes", task)
    assert (ours["ours"], theirs["ours"], theirs["text"], theirs["author"]) == (
        True,
        False,
        "On & on\nnow",
        "jo@desk.test",
    )
    (found,) = zammad.read("fetch_attachments", task)
    assert (found["name"], found["size"], found["url"]) == ("a.txt", 12, "/api/v1/ticket_attachment/3/2/120")
    zammad.answers("GET /api/v1/ticket_attachment/3/2/120", (200, b"twelve bytes"))
    zammad.forget()
    came, _template, _context = zammad.call("download_attachment", task, file=found)
    assert (zammad.lines, came.response.body) == (["GET /api/v1/ticket_attachment/3/2/120"], b"twelve bytes")


def test_people_are_made_inactive(zammad, task):
    zammad.answers("PUT /api/v1/users/15", (200, USER))
    zammad.forget()
    zammad.call("delete_contact", task)
    assert (zammad.lines, zammad.body()) == (["PUT /api/v1/users/15"], {"active": False})
    zammad.answers("GET /api/v1/users", (200, [USER]))
    assert zammad.read("query_contacts")[0]["name"] == "Emil Ende"


def test_what_is_written_and_solved_there_arrives_here_and_ours_does_not_come_back(zammad, task):
    row = {"id": 3, "number": "22003", "title": "x", "updated_at": "2026-01-31T09:45:10.123Z", "state": "closed"}
    row |= {"priority": "2 normal", "owner": "jo@desk.test", "group": "Support"}
    zammad.answers("GET /api/v1/tickets/search", (200, [row]))
    zammad.answers("GET /api/v1/tickets/3", (200, row))
    said = {"content_type": "text/plain", "from": "Jo", "internal": False, "attachments": []}
    said["created_at"] = "2026-01-31T09:40:00Z"
    articles = [
        {**said, "id": 1, "subject": task.number, "body": "Smoke on floor 2"},
        {**said, "id": 2, "subject": "", "body": "Replaced the toner"},
    ]
    zammad.answers("GET /api/v1/ticket_articles/by_ticket/3", (200, articles))
    zammad.poll()
    task.refresh_from_db()
    assert (task.phase, zammad.notes(task)) == ("review", ["Replaced the toner"])


@pytest.mark.parametrize(
    ("email", "login", "known"),
    [("emil@customer.test", "x", 15), ("a-emil@customer.test", "x", ""), ("old@customer.test", "emil", 15)],
)
def test_only_the_very_address_or_login_is_the_person(adopt, desk, email, login, known):
    contract = adopt("zammad")
    desk.contact.login = "EMIL"
    desk.contact.save()
    task = contract.desk.task(contract.group)
    contract.answers("GET /api/v1/users/search", (200, [{**USER, "email": email, "login": login}]))
    assert contract.captured("find_contact", task) == {"contact": known}
