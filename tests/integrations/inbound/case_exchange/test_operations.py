"""What an operation does here, and what is answered."""

from typing import Any

import pytest

from integrations.inbound.replay import replay_inbound
from integrations.models import Exchange, ExternalReference, Outcome
from tests.integrations.inbound.case_exchange.conftest import (
    NEW,
    CaseDesk,
    comment,
    last_exchange,
    problem,
)
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets.lifecycle import Phase
from tickets.models import Category, Note, Priority, Task, Ticket


def test_a_ticket_is_raised_with_title_contact_and_the_nearest_priority(cases: CaseDesk, known: Task):
    Priority.objects.create(code="top", name="Top", rank=1)
    Category.objects.create(code="net", name="Network")
    response = cases.send("Create", reference="INC-2", Urgency="SevereDisruption", Category="net", **NEW)
    assert response.status_code == 201
    task = ExternalReference.objects.get(value="INC-2").task
    assert response.json()["entities"][0]["entity"]["properties"]["Id"] == task.number
    ticket = task.ticket
    assert (ticket.title, ticket.description) == ("No delivery", "Since Monday")
    assert (ticket.contact.email, ticket.priority.code, ticket.category) == (
        "ada@example.com",
        "top",
        Category.objects.get(),
    )


def test_a_ticket_may_be_raised_for_nobody(cases: CaseDesk, known: Task):
    assert cases.send("Create", reference="INC-2", DisplayLabel="No delivery").status_code == 201
    assert Ticket.objects.latest("pk").contact is None


def test_the_answer_says_what_was_done_and_repeats_what_was_between_us(cases: CaseDesk, known: Task):
    body = cases.send("Resolve", Solution="New toner").json()
    (entry,) = body["entities"]
    assert (entry["completion_status"], entry["changed"]) == ("OK", True)
    assert entry["message"] == "The solution was stored and is being reviewed."
    entity = entry["entity"]
    assert entity["ext_properties"] == {"ExternalSystem": "northwind", "Operation": "Resolve", "ExternalId": "INC-1"}
    assert entity["properties"]["PhaseId"] == "Review"
    assert isinstance(entity["properties"]["LastUpdateTime"], int)
    assert body["meta"] == {"completion_status": "OK", "total_count": 1, "errorDetailsList": []}


def test_the_layout_says_which_properties_the_answer_has(cases: CaseDesk, known: Task):
    answer = cases.send("Update", query="?layout=Status", comments=[comment("Hello")]).json()
    assert set(answer["entities"][0]["entity"]["properties"]) == {"Id", "LastUpdateTime", "Status"}


def test_a_create_with_our_number_relates_our_task(cases: CaseDesk, northwind: Desk):
    task = make_task(northwind)
    before = Ticket.objects.count()
    assert cases.send("Create", task, reference="INC-9").status_code == 200
    assert (task.external_references.get().value, Ticket.objects.count()) == ("INC-9", before)


def test_an_acknowledge_stores_their_number(cases: CaseDesk, northwind: Desk):
    task = make_task(northwind)
    assert cases.send("Acknowledge", task, reference="INC-9").json()["entities"][0]["changed"] is True
    assert cases.send("Acknowledge", task, reference="INC-9").json()["entities"][0]["changed"] is False
    assert problem(cases.send("Acknowledge", task, reference="INC-10")) == (409, "conflict")


@pytest.mark.parametrize(
    ("operation", "phase"),
    [
        ("Resolve", Phase.REVIEW),
        ("RESOLVE", Phase.REVIEW),
        ("Close", Phase.CLOSE),
        ("Cancel", Phase.REVIEW),
        ("Reject", Phase.INITIAL_SUPPORT),
        ("Assign", Phase.INITIAL_SUPPORT),
        ("Accept", Phase.INITIAL_SUPPORT),
        ("Update", Phase.INITIAL_SUPPORT),
    ],
)
def test_each_operation_finds_the_task_by_either_number(
    cases: CaseDesk, northwind: Desk, operation: str, phase: Phase
):
    for number in ("INC-1", ""):
        task = make_task(northwind, reference="INC-1")
        named = None if number else task
        response = cases.send(operation, named, reference=number, comments=[comment("Hello")])
        assert response.status_code == 200, response.content
        task.refresh_from_db()
        assert task.phase == phase
        assert Note.objects.filter(task=task, body="Hello").exists()
        ExternalReference.objects.all().delete()


def test_a_reopen_says_what_the_solution_was(cases: CaseDesk, known: Task):
    cases.send("Resolve", Solution="New toner")
    assert cases.send("Reopen").status_code == 200
    known.refresh_from_db()
    assert (known.phase, known.solution, known.completion_code) == (Phase.INITIAL_SUPPORT, "", "")
    assert "New toner" in Note.objects.latest("pk").body


@pytest.mark.parametrize(
    "code",
    ["CompletionCodeRequestRejected", "completioncodeRequestRejected", "RequestRejected", "request_rejected"],
)
def test_completion_codes_are_taken_with_and_without_their_prefix(cases: CaseDesk, known: Task, code: str):
    assert cases.send("Resolve", CompletionCode=code).status_code == 200
    known.refresh_from_db()
    assert known.completion_code == "request_rejected"


def test_the_expected_time_is_set(cases: CaseDesk, known: Task):
    assert cases.send("Update", ExpectedResolutionTime=1_800_000_000_123).status_code == 200
    known.refresh_from_db()
    assert known.expected_resolution_at.isoformat() == "2027-01-15T08:00:00.123000+00:00"


def test_an_idempotency_key_is_honoured_and_a_bad_one_refused(cases: CaseDesk, known: Task):
    first = cases.send("Update", comments=[comment("Hello")], key="k1")
    second = cases.send("Update", comments=[comment("Hello")], key="k1")
    assert (second["Idempotency-Replayed"], second.content) == ("true", first.content)
    assert problem(cases.send("Update", comments=[comment("Other")], key="k1"))[0] == 422
    assert problem(cases.send("Update", comments=[comment("Other")], key="a b")) == (400, "invalid")


def test_a_refused_message_can_be_mapped_again(cases: CaseDesk, northwind: Desk, known: Task):
    assert cases.send("Resolve", reference="INC-2", Solution="Mended").status_code == 404
    late = make_task(northwind, reference="INC-2")
    replayed = replay_inbound(last_exchange(), by=AGENT)
    assert replayed.outcome == Outcome.SUCCEEDED
    late.refresh_from_db()
    assert late.solution == "Mended"


def test_a_refused_upload_or_sign_in_cannot_be_mapped_again(cases: CaseDesk, settings: Any):
    settings.MAX_ATTACHMENT_BYTES = 1
    cases.client.generic("POST", "/rest/deskbridge/frs/file-list", b"hello", content_type="text/plain")
    refused = Exchange.objects.get(operation="upload")
    assert replay_inbound(refused, by=AGENT).outcome == Outcome.REFUSED
