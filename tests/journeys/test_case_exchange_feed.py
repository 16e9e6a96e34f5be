"""The story with a desk that pulls: it fetches what it is to do from our feed, and brings us what it did."""

from dataclasses import replace

import pytest

from integrations.demo.partner import load_southwind, new_key
from integrations.models import GroupBinding, Process, Step, StepKind
from tests.journeys.conftest import World, assert_every_exchange_can_be_read_and_tells_no_secret, file, sha256
from tickets import actions
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import AssignmentGroup, Task, Ticket

pytestmark = pytest.mark.django_db(transaction=True)

SMOKE, FORM, PLAN = b"\x89PNG smoke \x00\xff", b"%PDF form", b"\x89PNG plan"


@pytest.fixture
def southwind(world: World) -> World:
    """The world with Southwind fetching everything from the feed."""
    system = load_southwind()
    feed = Process.objects.create(name="Southwind by feed")
    Step.objects.create(process=feed, position=1, name="publish", kind=StepKind.FEED)
    GroupBinding.objects.filter(group__code="southwind-ces").update(
        assignment_process=feed, update_process=feed, closure_process=feed
    )
    key = new_key(system)
    world.there.configure(case_exchange_key=key)
    return replace(world, system=system, key=key)


def given_away(world: World, **files: bytes) -> Task:
    """A task that Southwind has fetched and acknowledged."""
    number = world.emma.raise_ticket("The printer is on fire", "Smoke", **files)
    task = actions.create_task(
        actor=world.arthur,
        ticket=Ticket.objects.get(number=number),
        group=AssignmentGroup.objects.get(code="southwind-ces"),
        owning_group=world.people.service_desk,
    )
    world.work()
    assert world.there.fetch() == 1 + len(files)
    assert world.reference(task) == world.there.state()[0]["number"]
    return task


def test_a_ticket_is_fetched_acknowledged_solved_declined_solved_again_and_closed(southwind: World) -> None:
    there, emma = southwind.there, southwind.emma
    task = given_away(southwind, **{"smoke.png": SMOKE})
    ticket, theirs = task.ticket, southwind.reference(task)
    emma.respond(ticket.number, "note", body="Floor 2", files={"plan ü.png": PLAN})
    assert southwind.work() == []
    assert there.fetch() == 2
    form = file("form ü.pdf", FORM, "application/pdf")
    there.send(theirs, "message", text="Sign this", author="Nils", attachments=[form])
    assert emma.download(ticket.number, "form ü.pdf") == FORM
    there.send(theirs, "solution", solution="New toner")
    emma.respond(ticket.number, "decline", reason="It still burns")
    assert southwind.work() == []
    assert there.fetch() == 1
    assert (there.state()[0]["state"], there.state()[0]["solution"]) == ("open", "")
    there.send(theirs, "solution", solution="Water", completion_code="CompletionCodeFulfilled")
    emma.respond(ticket.number, "accept")
    assert southwind.work() == []
    assert (there.fetch(), there.fetch()) == (1, 0)

    [kept] = there.state()
    assert (kept["state"], kept["solution"], kept["caller_reference"]) == ("closed", "Water", task.number)
    texts = [note["text"] for note in kept["notes"]]
    assert texts == ["Floor 2", "Sign this", "New toner", "It still burns", "Water"]
    files = [(one["name"], one["sha256"]) for one in kept["attachments"]]
    assert files == [("smoke.png", sha256(SMOKE)), ("plan ü.png", sha256(PLAN))]
    task.refresh_from_db()
    ticket.refresh_from_db()
    assert (task.phase, task.solution, ticket.status) == (Phase.CLOSE, "Water", TicketStatus.CLOSED)
    assert_every_exchange_can_be_read_and_tells_no_secret(southwind)


@pytest.mark.parametrize(
    ("kind", "fields", "phase"),
    [
        ("assignment", {}, Phase.INITIAL_SUPPORT),
        ("rejection", {"solution": "Not ours"}, Phase.INITIAL_SUPPORT),
        ("cancellation", {}, Phase.REVIEW),
        ("closing", {"solution": "Water"}, Phase.CLOSE),
    ],
)
def test_what_the_desk_does_moves_our_task_and_is_not_told_to_it_again(
    southwind: World, kind: str, fields: dict[str, str], phase: Phase
) -> None:
    task = given_away(southwind)
    assert southwind.there.send(southwind.reference(task), kind, **fields)["state"] == "sent"
    task.refresh_from_db()
    assert task.phase == phase
    assert southwind.work() == []
    assert southwind.there.fetch() == 0


def test_a_task_that_was_rejected_can_be_given_away_anew(southwind: World) -> None:
    task = given_away(southwind)
    southwind.there.send(southwind.reference(task), "rejection", solution="Not ours")
    group = AssignmentGroup.objects.get(code="southwind-ces")
    task.refresh_from_db()
    actions.assign_task(actor=southwind.arthur, task=task, group=group)
    assert southwind.work() == []
    assert southwind.there.fetch() == 1
    first, second = southwind.there.state()
    assert (first["state"], second["caller_reference"]) == ("closed", task.number)
    assert (second["state"] != "closed", southwind.reference(task)) == (True, second["number"])
