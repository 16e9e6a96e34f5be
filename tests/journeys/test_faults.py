"""Messages of the partner that come twice or in the wrong order, over REST and over SOAP: the same end as without."""

import pytest

from integrations.models import ExternalReference, RunState
from tests.journeys.conftest import World, log
from tickets import actions
from tickets.lifecycle import Phase
from tickets.models import Task, Ticket

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.parametrize("channel", ["rest", "soap"])]


def given_away(world: World, channel: str) -> tuple[Task, str]:
    """A task that the partner has, and its number there, of which we know nothing yet."""
    world.there.configure(reference_later=True, channel=channel)
    number = world.emma.raise_ticket("The printer is on fire", "Smoke")
    task = world.give(Ticket.objects.get(number=number), channel)
    assert world.work() == []
    [there] = world.there.state()
    assert not ExternalReference.objects.exists()
    return task, there["number"]


def test_messages_that_are_sent_twice_act_once_and_get_the_same_answer(world: World, channel: str) -> None:
    task, number = given_away(world, channel)
    world.there.set_fault("send_twice", count=-1)
    world.there.send(number, "acknowledgement")
    world.there.send(number, "message", text="Which floor?")
    world.there.send(number, "message", text="Which floor?")  # another message with the same words
    world.there.send(number, "solution", solution="Water")
    task.refresh_from_db()
    assert world.reference(task) == number
    assert (task.phase, task.solution) == (Phase.REVIEW, "Water")
    assert list(task.ticket.notes.values_list("body", flat=True)) == ["Which floor?", "Which floor?"]
    assert task.history.filter(event="solution_proposed", field="phase").count() == 1
    incoming = [(operation, outcome) for way, operation, outcome, _status in log(task) if way == "in"]
    assert incoming == [
        (operation, outcome)
        for operation in ("acknowledge", "update", "update", "reassign")
        for outcome in ("succeeded", "repeated")
    ]
    answers = [(call["status"], call["response_body"]) for call in world.there.calls(direction="out")]
    assert answers[::2] == answers[1::2]


def test_a_solution_that_overtakes_the_acknowledgement_is_reviewed_and_closed_there(
    world: World, channel: str
) -> None:
    task, number = given_away(world, channel)
    actions.add_note(actor=world.arthur, ticket=task.ticket, body="Hurry, please")
    assert world.work() == [RunState.AWAITING]
    world.there.set_fault("out_of_order", batch=3)
    world.there.send(number, "acknowledgement")
    world.there.send(number, "message", text="On my way")
    world.there.send(number, "solution", solution="Water")
    task.refresh_from_db()
    assert [operation for way, operation, *_ in log(task) if way == "in"] == ["reassign", "update", "acknowledge"]
    assert (task.phase, task.solution, world.reference(task)) == (Phase.REVIEW, "Water", number)
    assert world.work() == []
    world.emma.respond(task.ticket.number, "accept")
    assert world.work() == []
    [there] = world.there.state()
    assert (there["state"], there["solution"]) == ("closed", "Water")
    assert sorted(note["text"] for note in there["notes"]) == ["Hurry, please", "On my way", "Water"]
    assert list(task.ticket.notes.values_list("body", flat=True)) == ["Hurry, please", "On my way"]


def test_a_rejected_task_is_ours_again_and_can_be_given_away_anew(world: World, channel: str) -> None:
    task, number = given_away(world, channel)
    world.there.send(number, "acknowledgement")
    world.there.send(number, "rejection", solution="We do not do fires")
    task.refresh_from_db()
    assert (task.phase, task.group) == (Phase.INITIAL_SUPPORT, world.people.service_desk)
    assert not ExternalReference.objects.exists()
    [note] = task.ticket.notes.all()
    assert note.body == "Incident was rejected by the external fulfillment system: We do not do fires"
    actions.assign_task(actor=world.arthur, task=task, group=world.group(channel))
    assert world.work() == []
    first, second = world.there.state()
    assert (first["state"], second["state"]) == ("closed", "new")
    assert second["caller_reference"] == task.number
    world.there.send(second["number"], "acknowledgement")
    assert world.reference(task) == second["number"]
