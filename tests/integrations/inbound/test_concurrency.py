"""Deliveries at the same moment: exactly one has its effect."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from integrations import echo
from integrations.models import ContactReference, Exchange, ExchangedFile, Outcome, SentText
from tests.integrations.inbound.case_exchange.conftest import CaseDesk, comment, named
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tickets.models import Note, Ticket

THREADS = 8


@pytest.fixture
def northwind(transactional_db: None) -> Desk:
    """Committed, so that every thread sees it."""
    return make_desk("Northwind")


def at_once(call: Callable[[int], Any]) -> list[Any]:
    """The results of that many calls that begin together, each in a thread with a connection of its own."""
    barrier = threading.Barrier(THREADS)
    results: list[Any] = []
    failures: list[BaseException] = []

    def run(number: int) -> None:
        try:
            barrier.wait(timeout=20)
            results.append(call(number))
        except BaseException as error:  # noqa: BLE001 - raised again in the test's own thread
            failures.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    if failures:
        raise failures[0]
    assert len(results) == THREADS
    return results


@pytest.mark.parametrize("recognised_by", ["key", "message_id", "both"])
def test_one_message_delivered_many_times_at_once_has_one_effect(northwind: Desk, recognised_by: str):
    task = make_task(northwind)
    body = {"text": "Once"} | ({"message_id": "m1"} if recognised_by != "key" else {})
    key = "k1" if recognised_by != "message_id" else ""

    def deliver(_number: int) -> Any:
        return Desk(northwind.system, northwind.key, northwind.group, Client()).post(
            f"tasks/{task.number}/updates/", body, key=key
        )

    answers = at_once(deliver)
    assert Note.objects.filter(task=task).count() == 1
    assert {answer.status_code for answer in answers} <= {201, 409}
    accepted = {answer.content for answer in answers if answer.status_code == 201}
    assert len(accepted) == 1
    assert deliver(0).content in accepted
    assert Exchange.objects.filter(outcome=Outcome.SUCCEEDED).count() == 1
    assert not Exchange.objects.filter(outcome=Outcome.SENDING).exists()


def test_one_ticket_raised_many_times_at_once_is_one_ticket(northwind: Desk):
    make_task(northwind)
    before = Ticket.objects.count()
    body = {"external_reference": "INC-1", "title": "No delivery", "contact": {"email": "ada@example.com"}}

    def deliver(_number: int) -> Any:
        return Desk(northwind.system, northwind.key, northwind.group, Client()).post("tickets/", body)

    answers = at_once(deliver)
    assert Ticket.objects.count() == before + 1
    assert sorted(answer.status_code for answer in answers) == [200] * (THREADS - 1) + [201]
    assert len({answer.json()["task"] for answer in answers}) == 1


def test_different_acknowledgements_at_once_leave_one_number(northwind: Desk):
    task = make_task(northwind)

    def deliver(number: int) -> Any:
        return Desk(northwind.system, northwind.key, northwind.group, Client()).post(
            f"tasks/{task.number}/acknowledge/", {"external_reference": f"INC-{number}"}
        )

    statuses = sorted(answer.status_code for answer in at_once(deliver))
    assert statuses == [200] + [409] * (THREADS - 1)
    assert task.external_references.count() == 1


def test_a_fingerprint_is_used_up_by_one_match_of_many_at_once(northwind: Desk):
    task = make_task(northwind)
    echo.remember(task=task, system=northwind.system, text="Our text")

    def match(_number: int) -> bool:
        return echo.is_echo(task=task, system=northwind.system, text="Our text")

    assert sorted(at_once(match)) == [False] * (THREADS - 1) + [True]
    assert SentText.objects.get().matched_at is not None


def test_a_file_that_is_uploaded_and_named_many_times_at_once_is_attached_once(northwind: Desk):
    task = make_task(northwind)

    def deliver(_number: int) -> Any:
        cases = CaseDesk(northwind)
        cases.sign_in()
        guid = cases.upload(b"hello", "a.txt")
        words = [comment("Once")]
        return cases.send("Update", task, reference="", comments=words, IncidentAttachments=named(guid))

    assert {answer.status_code for answer in at_once(deliver)} == {200}
    assert (task.attachments.count(), task.notes.count(), ExchangedFile.objects.count()) == (1, 1, 1)


@pytest.mark.parametrize("how", ["made", "changed"])
def test_one_number_given_to_many_people_at_once_is_one_persons(northwind: Desk, how: str):
    people = [
        northwind.post("contacts/", {"email": f"p{number}@example.com"}).json()["id"] for number in range(THREADS)
    ]

    def deliver(number: int) -> int:
        desk = Desk(northwind.system, northwind.key, northwind.group, Client())
        if how == "made":
            body = {"email": f"q{number}@example.com", "external_id": "U-1"}
            return desk.post("contacts/", body).status_code
        headers = {"Authorization": f"Api-Key {northwind.key}"}
        address = f"/api/v1/contacts/{people[number]}/"
        body = {"external_id": "U-1"}
        return desk.client.patch(address, body, content_type="application/json", headers=headers).status_code

    assert sorted(at_once(deliver))[1:] == [409] * (THREADS - 1)
    assert ContactReference.objects.filter(value="U-1").count() == 1
