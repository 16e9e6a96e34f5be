"""A worker is killed (SIGKILL) at each point of a run: the other desk has everything exactly once, in order."""

from collections.abc import Callable

import pytest

from integrations.demo.people import People
from integrations.models import Exchange, ExternalSystem, Outcome, Repeat
from tests.faults.conftest import Processes
from tests.practice_desk import PracticeDesk
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]

TEXTS = ["It still burns", "It still burns", "Now it only smokes"]
REQUESTS = 1 + len(TEXTS) + 1


def exchange_a_story(people: People, group: str) -> None:
    """One ticket, three notes of which two are alike, and a file: five requests."""
    agent = Actor.of_user(people.agent)
    ticket = actions.create_ticket(actor=agent, title="Fire", contact=people.contact)
    task = actions.create_task(
        actor=agent, ticket=ticket, group=AssignmentGroup.objects.get(code=group), owning_group=people.service_desk
    )
    for text in TEXTS:
        actions.add_note(actor=agent, ticket=ticket, task=task, body=text)
    photo = actions.FileContent("photo.jpg", b"\xff\xd8 not really", "image/jpeg")
    actions.attach(actor=agent, ticket=ticket, task=task, content=photo)


@pytest.mark.parametrize(
    ("point", "group", "unknown"),
    [
        ("before_send", "northwind-rest", REQUESTS),
        ("after_send", "northwind-rest", REQUESTS),
        # The answer is in the log by then; only what follows from it was not written.
        ("before_record", "northwind-rest", 0),
        ("after_send", "northwind-soap", REQUESTS),
    ],
)
def test_each_record_is_there_exactly_once_and_in_order(
    point: str,
    group: str,
    unknown: int,
    people: People,
    northwind: ExternalSystem,
    practice_desk: PracticeDesk,
    processes: Processes,
    all_done: Callable[[], None],
) -> None:
    practice_desk.set_fault("ignore_idempotency_keys", count=-1)
    processes.worker(point)
    processes.beat()
    exchange_a_story(people, group)
    all_done()
    (ticket,) = practice_desk.state()
    assert [note["text"] for note in ticket["notes"]] == TEXTS
    assert [file["name"] for file in ticket["attachments"]] == ["photo.jpg"]
    assert len(list((processes.folder / "died").iterdir())) == REQUESTS
    assert processes.deaths >= REQUESTS
    assert Exchange.objects.filter(outcome=Outcome.UNKNOWN).count() == unknown


def test_without_probing_the_same_story_leaves_doubles(
    people: People,
    northwind: ExternalSystem,
    practice_desk: PracticeDesk,
    processes: Processes,
    all_done: Callable[[], None],
) -> None:
    """Shows that the test above can fail: what is blindly repeated is there twice."""
    northwind.operations.update(repeat=Repeat.SAFE)
    practice_desk.set_fault("ignore_idempotency_keys", count=-1)
    processes.worker("after_send")
    processes.beat()
    exchange_a_story(people, "northwind-rest")
    all_done()
    tickets = practice_desk.state()
    notes = [note["text"] for ticket in tickets for note in ticket["notes"]]
    assert len(tickets) == 2
    assert len(notes) == 2 * len(TEXTS)
