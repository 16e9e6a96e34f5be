"""The story with a desk that we call over Case Exchange: each operation is brought to it as an entity."""

from dataclasses import replace
from typing import Any

import pytest

from integrations.demo.partner import load_southwind, new_key
from integrations.models import RunState
from tests.integrations.engine.conftest import pass_time
from tests.journeys.conftest import World, assert_every_exchange_can_be_read_and_tells_no_secret, log
from tickets import actions
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import AssignmentGroup, Task, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

COMPLAINT = "Smoke & <flames>\nfrom tray „3“"
ANSWER, STILL = "Floor 2; see „plan“ & <here>", "It still burns, a little"


@pytest.fixture
def southwind(world: World) -> World:
    """The world with the practice desk as Southwind, which has a key of its own."""
    system = load_southwind()
    key = new_key(system)
    world.there.configure(api_key=key, case_exchange_key=key)
    return replace(world, system=system, key=key)


def give(world: World, ticket: Ticket) -> Task:
    """The agent makes a task for Southwind's group; nothing is sent yet."""
    return actions.create_task(
        actor=world.arthur,
        ticket=ticket,
        group=AssignmentGroup.objects.get(code="southwind-ces"),
        owning_group=world.people.service_desk,
    )


def at_southwind(world: World) -> dict[str, Any]:
    """The one ticket that Southwind has."""
    [there] = world.there.state()
    return there


@pytest.mark.parametrize("back", ["rest"])
def test_a_ticket_is_acknowledged_updated_solved_declined_solved_again_and_closed_on_both_sides(
    southwind: World, back: str
) -> None:
    there, emma, back_to_us = southwind.there, southwind.emma, {"channel": back}
    there.configure(reference_later=True)
    ticket = Ticket.objects.get(number=emma.raise_ticket("The printer is on fire", COMPLAINT))
    actions.add_note(actor=southwind.arthur, ticket=ticket, body="The one by the window")
    task = give(southwind, ticket)
    emma.respond(ticket.number, "note", body=ANSWER)
    assert southwind.work() == [RunState.AWAITING]
    number = at_southwind(southwind)["number"]
    there.send(number, "acknowledgement", **back_to_us)
    assert southwind.reference(task) == number
    assert southwind.work() == []
    there.send(number, "message", text="On my way", author="Nils", **back_to_us)
    there.send(number, "solution", solution="New toner", author="Nora", **back_to_us)
    emma.respond(ticket.number, "decline", reason=STILL)
    assert southwind.work() == []
    assert (at_southwind(southwind)["state"], at_southwind(southwind)["solution"]) == ("open", "")
    there.send(number, "solution", solution="Water", author="Nora", **back_to_us)
    emma.respond(ticket.number, "accept")
    assert southwind.work() == []

    task.refresh_from_db()
    ticket.refresh_from_db()
    assert (task.phase, task.solution, ticket.status) == (Phase.CLOSE, "Water", TicketStatus.CLOSED)
    kept = at_southwind(southwind)
    expected = {
        "number": number,
        "caller_reference": task.number,
        "title": "The printer is on fire",
        "description": COMPLAINT,
        "priority": "normal",
        "contact": {"name": "Emma Example", "email": "emma@example-works.test"},
        "requested_by": "deskbridge",
        "state": "closed",
        "solution": "Water",
        "completion_code": "CompletionCodeFulfilled",
    }
    assert {name: kept[name] for name in expected} == expected
    assert [(note["author"], note["text"]) for note in kept["notes"]] == [
        ("Arthur Agent", "The one by the window"),
        ("Emma Example", ANSWER),
        ("Nils", "On my way"),
        ("Nora", "New toner"),
        ("Emma Example", STILL),
        ("Nora", "Water"),
    ]
    assert [entry for entry in log(task) if entry[1] != "login"] == [
        ("out", "create_ticket", "succeeded", 202),
        ("in", "acknowledge", "succeeded", 200),
        ("out", "update_ticket", "succeeded", 200),
        ("in", "update", "succeeded", 201),
        ("in", "reassign", "succeeded", 200),
        ("out", "reopen_ticket", "succeeded", 200),
        ("in", "reassign", "succeeded", 200),
        ("out", "close_ticket", "succeeded", 200),
    ]
    assert_every_exchange_can_be_read_and_tells_no_secret(southwind)


def test_one_session_serves_all_that_is_brought(southwind: World) -> None:
    for title in ("The printer is on fire", "The scanner is wet"):
        give(southwind, Ticket.objects.get(number=southwind.emma.raise_ticket(title, COMPLAINT)))
    assert southwind.work() == []
    assert len(southwind.there.calls(operation="create")) == 2
    assert len(southwind.there.calls(operation="login")) <= 1  # none, where an earlier session still holds


def test_an_answer_that_was_lost_makes_no_second_ticket(southwind: World) -> None:
    southwind.there.set_fault("time_out_after", operation="create")
    ticket = Ticket.objects.get(number=southwind.emma.raise_ticket("The printer is on fire", COMPLAINT))
    task = give(southwind, ticket)
    assert southwind.work() == [RunState.RETRYING]
    pass_time()
    assert southwind.reference(task) == at_southwind(southwind)["number"]
