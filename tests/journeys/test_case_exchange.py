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


@pytest.mark.parametrize("back", ["rest", "case_exchange"])
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
    solved = "reassign" if back == "rest" else "resolve"
    assert [entry[:3] for entry in log(task) if entry[1] != "login"] == [
        ("out", "create_ticket", "succeeded"),
        ("in", "acknowledge", "succeeded"),
        ("out", "update_ticket", "succeeded"),
        ("in", "update", "succeeded"),
        ("in", solved, "succeeded"),
        ("out", "reopen_ticket", "succeeded"),
        ("in", solved, "succeeded"),
        ("out", "close_ticket", "succeeded"),
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


@pytest.mark.parametrize(("code", "operation"), [("withdrawn_by_user", "cancel"), ("request_rejected", "reject")])
def test_a_task_that_ends_for_another_reason_ends_there_for_that_reason(
    southwind: World, code: str, operation: str
) -> None:
    task = give(southwind, Ticket.objects.get(number=southwind.emma.raise_ticket("A lamp", COMPLAINT)))
    assert southwind.work() == []
    actions.close_task(actor=southwind.arthur, task=task, solution="Never mind", completion_code=code)
    assert southwind.work() == []
    kept = at_southwind(southwind)
    expected = f"CompletionCode{''.join(map(str.capitalize, code.split('_')))}"
    assert (kept["state"], kept["solution"], kept["completion_code"]) == ("closed", "Never mind", expected)
    assert southwind.there.calls(direction="in")[-1]["operation"] == operation


def test_a_solution_of_ours_is_an_update_and_then_a_resolve(southwind: World) -> None:
    task = give(southwind, Ticket.objects.get(number=southwind.emma.raise_ticket("A lamp", COMPLAINT)))
    assert southwind.work() == []
    actions.propose_solution(actor=southwind.arthur, task=task, solution="A new bulb")
    assert southwind.work() == []
    kept = at_southwind(southwind)
    assert (kept["state"], kept["solution"], kept["notes"]) == ("solved", "A new bulb", [])
    done = [call["operation"] for call in southwind.there.calls(direction="in", ticket=kept["number"])]
    assert done == ["create", "update", "resolve"]


def test_a_task_that_is_taken_back_is_closed_there_and_open_again_when_it_is_given_back(southwind: World) -> None:
    task = give(southwind, Ticket.objects.get(number=southwind.emma.raise_ticket("A lamp", COMPLAINT)))
    assert southwind.work() == []
    for group, operation, state in (
        (southwind.people.service_desk, "accept", "closed"),
        (AssignmentGroup.objects.get(code="southwind-ces"), "assign", "open"),
    ):
        task.refresh_from_db()
        actions.assign_task(actor=southwind.arthur, task=task, group=group)
        assert southwind.work() == []
        assert at_southwind(southwind)["state"] == state
        assert southwind.there.calls(direction="in")[-1]["operation"] == operation
