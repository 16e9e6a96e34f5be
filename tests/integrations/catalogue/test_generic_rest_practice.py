"""Any desk with a REST API, unchanged, against the practice desk: what a new administrator tries first."""

from typing import Any

import pytest

from integrations.catalogue.trials import trials
from integrations.connection import try_connection
from integrations.models import Exchange, Outcome
from integrations.their_values import fetch
from tests.integrations.catalogue.contract import Contract
from tests.integrations.engine.conftest import run_states
from tests.practice_desk import PracticeDesk
from tickets.models import Attachment, Note, Task

pytestmark = pytest.mark.django_db


@pytest.fixture
def rest(adopt: Any, practice_desk: PracticeDesk) -> Contract:
    """Added with the practice desk's address and key."""
    contract: Contract = adopt("generic-rest", auth_kind="key_header", auth_name="X-Api-Key", secret="practice-key")
    contract.system.base_url = f"{practice_desk.url}/api"
    contract.system.save()
    return contract


@pytest.fixture
def task(rest: Contract) -> Task:
    """A task that is known there."""
    return rest.give(priority=rest.desk.priority)


def test_the_connection_and_the_lists_of_values(rest: Contract, practice_desk: PracticeDesk) -> None:
    assert try_connection(rest.system, trials(rest.system)[0]).succeeded
    assert [value for value, _label in fetch(rest.system, "priority").values] == ["low", "normal", "high", "urgent"]
    assert [value for value, _label in fetch(rest.system, "status").values] == ["new", "open", "solved", "closed"]
    rest.system.base_url = f"{practice_desk.url}/wrong"
    assert "Check the address of the system" in try_connection(rest.system, trials(rest.system)[0]).advice
    rest.system.base_url, rest.system.auth_secret = f"{practice_desk.url}/api", "wrong"
    assert "does not accept the credentials" in try_connection(rest.system, trials(rest.system)[0]).advice


def test_a_life_with_person_notes_files_and_solution(rest: Contract, task: Task, practice_desk: PracticeDesk) -> None:
    (there,) = practice_desk.state()
    assert (there["caller_reference"], there["contact"]["email"]) == (task.number, "emil@customer.test")
    rest.note(task, "It still burns")
    rest.attach(task)
    (there,) = practice_desk.state()
    assert [note["text"] for note in there["notes"]] == ["It still burns"]
    assert [file["name"] for file in there["attachments"]] == ["brücke.png"]
    number = there["number"]
    practice_desk.post(f"/api/tickets/{number}/notes", json={"text": "We come at noon", "author": "Nora"})
    files = {"file": ("plan.txt", b"at noon", "text/plain")}
    practice_desk.post(f"/api/tickets/{number}/attachments", files=files)
    practice_desk.request("PATCH", f"/api/tickets/{number}", json={"state": "solved", "priority": "urgent"})
    rest.poll()
    rest.poll()
    task.refresh_from_db()
    assert (task.phase, task.ticket.priority.rank) == ("review", 1)
    assert Note.objects.filter(ticket=task.ticket, body="We come at noon", author_name="Nora").count() == 1
    assert sorted(Attachment.objects.values_list("name", flat=True)) == ["brücke.png", "plan.txt"]
    assert set(run_states()) == {"done"}
    failed = Exchange.objects.exclude(outcome=Outcome.SUCCEEDED).values_list("operation", "status", "error")
    assert list(failed) == []


def test_people_are_found_changed_and_taken_off(rest: Contract, task: Task, practice_desk: PracticeDesk) -> None:
    (found,) = rest.read("find_contact", task)
    assert (found["contact"], found["name"]) == ("emil@customer.test", "Emil Ende")
    assert rest.read("query_contacts") == [found]
    rest.call("update_contact", task)
    rest.call("delete_contact", task)
    assert rest.read("query_contacts") == []


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/tickets?page=0&size=5", 400),
        ("/api/tickets?modified_since=yesterday", 400),
        ("/api/contacts?size=x", 400),
        ("/api/contacts/nobody", 405),
        ("/api/tickets/PD-0/attachments/1", 404),
        ("/api/tickets?modified_since=2999-01-01T00:00:00Z&page=2&size=1", 200),
    ],
)
def test_what_the_practice_desk_refuses(practice_desk: PracticeDesk, path: str, status: int) -> None:
    assert practice_desk.get(path).status_code == status
    assert practice_desk.post("/api/contacts", json={"name": "x"}).status_code == 400
    assert practice_desk.request("DELETE", "/api/contacts/nobody@x.test").status_code == 404
