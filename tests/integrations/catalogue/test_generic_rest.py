"""Any desk with a REST API: the requests and answers that the preset describes."""

import pytest

from integrations.models import ContactReference, ExternalReference
from tests.integrations.catalogue.contract import Contract, parts, run_states
from tests.integrations.engine.conftest import pass_time
from tickets.models import Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def rest(adopt) -> Contract:
    """A desk that knows nobody and takes everything."""
    contract: Contract = adopt("generic-rest", path="/api")
    contract.answers("GET /api/contacts", (200, {"contacts": []}))
    contract.answers("POST /api/contacts", (201, {"id": "c-1"}))
    contract.answers("POST /api/tickets", (201, {"number": "A-1"}))
    for action, answer in {"notes": {"id": 5}, "attachments": {"id": 7}, "reopen": {}, "close": {}}.items():
        contract.answers(f"POST /api/tickets/A-1/{action}", (200, answer))
    return contract


@pytest.fixture
def task(rest) -> Task:
    """A task that is known there."""
    return rest.give()


def test_the_contact_is_looked_up_and_created_before_the_ticket(rest, task):
    assert rest.lines == [
        "GET /api/contacts?email=emil%40customer.test",
        "POST /api/contacts",
        "POST /api/tickets",
    ]
    assert {request.headers["Authorization"] for request in rest.played.sent} == {"Bearer s3cret-of-the-desk"}
    assert rest.body() == {
        "caller_reference": task.number,
        "title": "The printer is on fire",
        "description": "Smoke on floor 2",
        "priority": "normal",
        "contact": {"id": "c-1", "name": "Emil Ende", "email": "emil@customer.test"},
    }
    assert ExternalReference.objects.get(task=task).value == "A-1"
    assert ContactReference.objects.get().value == "c-1"


def test_a_note_of_unknown_outcome_is_looked_for_by_our_id(rest, task):
    rest.played.server.clear()
    rest.answers("POST /api/tickets/A-1/notes", (504, ""))
    rest.answers("GET /api/tickets/A-1/notes", (200, {"notes": [{"id": 5}]}))
    rest.note(task, "It still burns")
    pass_time()
    sent, looked = rest.lines
    assert sent == "POST /api/tickets/A-1/notes"
    assert looked == f"GET /api/tickets/A-1/notes?message_id={rest.body(0)['message_id']}"
    assert run_states()[-1] == "done"


def test_files_and_the_end(rest, task):
    rest.attach(task)
    (message_id, file) = parts(rest.sent(), rest.body())
    assert message_id[0] == "message_id"
    assert file == ("file", "image/png", "brücke.png", b"\x89PNG")
    rest.decline(task)
    assert (rest.lines, rest.body()) == (["POST /api/tickets/A-1/reopen"], {"reason": "Still broken"})
    task.refresh_from_db()
    rest.close(task)
    assert rest.body() == {"solution": "Replaced", "completion_code": "fulfilled"}


def test_tickets_and_people_are_read(rest, task):
    row = {
        "number": "A-1",
        "title": "x",
        "state": "resolved",
        "priority": "normal",
        "modified": "2026-01-31T09:45:00Z",
    }
    rest.answers("GET /api/tickets", (200, {"tickets": [row]}))
    (record,) = rest.read("fetch_modified_since")
    assert rest.lines[-1] == "GET /api/tickets?modified_since=2026-01-31T09%3A30%3A00Z&page=1&size=50"
    assert (record["reference"], record["status"], record["solution"]) == ("A-1", "resolved", "")
    person = {"id": 1, "name": "Emil Ende", "email": "emil@customer.test"}
    rest.played.server.clear()
    rest.answers("GET /api/contacts", (200, {"contacts": [person]}))
    assert rest.read("query_contacts") == [
        {"contact": "1", "name": "Emil Ende", "email": "emil@customer.test", "login": "", "phone": ""}
    ]
