"""Polling the practice desk, a process of its own: what it does over there comes in, in order, with its files."""

import base64
from typing import Any

import pytest

from integrations.demo.partner import load_southwind
from integrations.models import Exchange, ExternalReference, Outcome, Polling, ProcessRun, Way
from integrations.polling.worker import poll
from tests.cast import Desk
from tests.integrations.engine.conftest import work_everything
from tests.integrations.polling.conftest import notes, poll_now
from tests.practice_desk import PracticeDesk
from tickets import actions
from tickets.lifecycle import Phase
from tickets.models import AssignmentGroup, Attachment, Task

pytestmark = pytest.mark.django_db(transaction=True)

FILE = {"name": "plan ü.txt", "content": base64.b64encode(b"hi").decode(), "content_type": "text/plain"}


@pytest.fixture
def southwind(practice_desk: PracticeDesk, settings: Any, desk: Desk) -> Polling:
    """The practice desk, which lists what it does and does not call."""
    settings.PRACTICE_DESK_URL = practice_desk.url
    practice_desk.configure(channel="feed")
    system = load_southwind()
    Polling.objects.update(page_size=2, layout="Solution,IncidentAttachments,CompletionCode")
    return Polling.objects.get(system=system)


@pytest.fixture
def given(southwind: Polling, desk: Desk) -> Task:
    """A task of ours that is theirs to do."""
    task: Task = desk.task(AssignmentGroup.objects.get(code="southwind-ces"))
    work_everything()
    return task


def number_of(task: Task) -> str:
    return ExternalReference.objects.get(task=task).value


def test_an_acknowledgement_messages_files_and_the_solution_come_in(
    southwind: Polling, desk: Desk, practice_desk: PracticeDesk
) -> None:
    practice_desk.configure(reference_later=True)
    task: Task = desk.task(AssignmentGroup.objects.get(code="southwind-ces"))
    work_everything()
    [there] = practice_desk.state()
    assert not ExternalReference.objects.exists()
    practice_desk.send(there["number"], "acknowledgement")
    poll_now(southwind)
    assert number_of(task) == practice_desk.state()[0]["number"]
    for text in ("one", "two", "three"):
        practice_desk.send(number_of(task), "message", text=text, author="Nils")
    practice_desk.send(number_of(task), "message", text="see", attachments=[FILE])
    practice_desk.send(number_of(task), "solution", solution="New toner")
    poll_now(southwind)
    assert southwind.last_error == ""
    assert notes()[:4] == ["one", "two", "three", "see"]
    attachment = Attachment.objects.get()
    with attachment.file.open("rb") as file:
        assert (attachment.name, file.read()) == ("plan ü.txt", b"hi")
    task.refresh_from_db()
    assert (task.phase, task.solution) == (Phase.REVIEW, "New toner")
    assert set(Exchange.objects.filter(way=Way.IN).values_list("outcome", flat=True)) == {Outcome.SUCCEEDED}


@pytest.mark.parametrize("fault", ["server_error", "error_in_200", "too_many_requests"])
def test_a_desk_with_a_fault_is_asked_again_and_nothing_is_missed(
    southwind: Polling, given: Task, practice_desk: PracticeDesk, fault: str
) -> None:
    practice_desk.send(number_of(given), "message", text="while it was down")
    practice_desk.set_fault(fault, operation="feed")
    poll_now(southwind)
    assert southwind.failures == 1, fault
    assert notes() == []
    poll_now(southwind)
    assert notes() == ["while it was down"]


def test_a_session_that_the_desk_has_forgotten_is_renewed(
    southwind: Polling, given: Task, practice_desk: PracticeDesk
) -> None:
    poll_now(southwind)
    practice_desk.reset()
    poll_now(southwind)
    assert southwind.failures == 0
    assert Exchange.objects.filter(operation="login").count() == 2


def test_without_news_the_log_stays_as_it_is(southwind: Polling, given: Task) -> None:
    for _ in range(4):
        poll_now(southwind)
    assert Exchange.objects.filter(operation="poll").count() == 1
    assert poll(southwind.pk) is False


def test_a_file_of_ours_arrives_there_with_its_name(
    southwind: Polling, given: Task, desk: Desk, practice_desk: PracticeDesk
) -> None:
    content = actions.FileContent(name='brücke "1".png', data=b"\x89PNG\x00", content_type="image/png")
    actions.attach(actor=desk.by_agent, ticket=given.ticket, task=given, content=content)
    work_everything()
    assert {run.state for run in ProcessRun.objects.all()} == {"done"}, [
        run.reason for run in ProcessRun.objects.all()
    ]
    [there] = practice_desk.state()
    [file] = there["attachments"]
    assert (file["name"], file["size"]) == ('brücke "1".png', 5)
