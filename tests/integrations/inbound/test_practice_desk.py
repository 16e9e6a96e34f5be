"""The practice desk, a process of its own, talks to the portal over sockets, also twice and out of order."""

from typing import Any

import pytest

from integrations.models import Exchange, ExternalReference, Outcome, ProcessRun
from tests.integrations.inbound.conftest import Desk, make_desk, make_task
from tests.practice_desk import PracticeDesk
from tickets.models import Note, Task

CHANNELS = ["rest", "soap"]


@pytest.fixture
def northwind(transactional_db: None, live_server: Any, practice_desk: PracticeDesk) -> Desk:
    """The practice desk as an external system here, told where the portal is."""
    desk = make_desk("Northwind")
    practice_desk.configure(portal_url=live_server.url, system_slug="northwind", api_key=desk.key)
    return desk


def open_ticket(practice_desk: PracticeDesk, task: Task) -> str:
    """The ticket at the practice desk that stands for our task; its number there."""
    body = {"title": task.title, "caller_reference": task.number}
    return str(practice_desk.post("/api/tickets", json=body).json()["number"])


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_conversation_arrives_as_it_was_sent(northwind: Desk, practice_desk: PracticeDesk, channel: str):
    task = make_task(northwind)
    number = open_ticket(practice_desk, task)
    file = {"name": "a.txt", "content_type": "text/plain", "content": "aGVsbG8="}
    practice_desk.send(number, "acknowledgement", channel=channel)
    practice_desk.send(number, "message", channel=channel, text="Grüße", author="Bo", attachments=[file])
    practice_desk.send(number, "solution", channel=channel, solution="Water.", completion_code="fulfilled")
    task = Task.objects.get(pk=task.pk)
    note = Note.objects.get(task=task)
    assert ExternalReference.objects.get(task=task).value == number
    assert (note.body, note.author_name, note.attachments.count()) == ("Grüße", "Bo", 1)
    assert (task.phase, task.solution) == ("review", "Water.")


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_message_sent_twice_by_the_desk_is_one_note(northwind: Desk, practice_desk: PracticeDesk, channel: str):
    task = make_task(northwind)
    number = open_ticket(practice_desk, task)
    practice_desk.set_fault("send_twice")
    practice_desk.send(number, "message", channel=channel, text="Once")
    assert Note.objects.filter(task=task).count() == 1
    outcomes = Exchange.objects.order_by("pk").values_list("outcome", flat=True)
    assert list(outcomes) == [Outcome.SUCCEEDED, Outcome.REPEATED]


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_solution_before_the_message_before_the_acknowledgement_is_all_taken(
    northwind: Desk, practice_desk: PracticeDesk, channel: str
):
    task = make_task(northwind)
    number = open_ticket(practice_desk, task)
    practice_desk.set_fault("out_of_order", batch=3)
    practice_desk.send(number, "acknowledgement", channel=channel)
    practice_desk.send(number, "message", channel=channel, text="hello")
    practice_desk.send(number, "solution", channel=channel, solution="Water.")
    assert list(Exchange.objects.order_by("pk").values_list("operation", "outcome")) == [
        ("reassign", Outcome.SUCCEEDED),
        ("update", Outcome.SUCCEEDED),
        ("acknowledge", Outcome.SUCCEEDED),
    ]
    assert ExternalReference.objects.get(task=task).value == number
    assert Task.objects.get(pk=task.pk).phase == "review"


@pytest.mark.parametrize("channel", CHANNELS)
def test_a_rejection_brings_the_task_back(northwind: Desk, practice_desk: PracticeDesk, channel: str):
    task = make_task(northwind)
    number = open_ticket(practice_desk, task)
    practice_desk.send(number, "acknowledgement", channel=channel)
    practice_desk.send(number, "rejection", channel=channel, solution="Not ours.")
    task = Task.objects.select_related("group").get(pk=task.pk)
    assert (task.group.code, task.external_references.count()) == ("first-line", 0)
    assert not ProcessRun.objects.exists()
