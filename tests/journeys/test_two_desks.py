"""One ticket at two desks, one over REST and one over SOAP: each reads what concerns it, and nothing else."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from integrations.demo.partner import new_key
from integrations.models import ExternalSystem, GroupBinding, OperationTemplate, WsdlDocument
from tests.journeys.conftest import World
from tests.practice_desk import PracticeDesk, start_practice_desk
from tickets import actions
from tickets.models import AssignmentGroup, Task, Ticket

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def fabrikam(world: World, tmp_path: Path) -> Iterator[tuple[PracticeDesk, str]]:
    """A second desk with a process, a configuration and a key of its own: the SOAP group is given to it."""
    process, desk = start_practice_desk(tmp_path)
    system = ExternalSystem.objects.get(pk=world.system.pk)
    system.pk, system.code, system.name, system.base_url = None, "fabrikam", "Fabrikam", desk.url
    system.save()
    OperationTemplate.objects.filter(name__startswith="soap_").update(system=system)
    WsdlDocument.objects.update(system=system)
    GroupBinding.objects.filter(group__code="northwind-soap").update(system=system)
    key = new_key(system)
    desk.configure(portal_url=world.portal, api_key=key, system_slug="fabrikam", channel="soap")
    yield desk, key
    desk.http.close()
    process.terminate()
    process.wait(timeout=20)


def at_both(world: World) -> tuple[Ticket, Task, Task]:
    """A ticket with a task at each desk, both created there."""
    ticket = Ticket.objects.get(number=world.emma.raise_ticket("The server room is hot", "35 °C"))
    tasks = [world.give(ticket, channel) for channel in ("rest", "soap")]
    assert world.work() == []
    return ticket, tasks[0], tasks[1]


def texts(desk: PracticeDesk) -> list[str]:
    """The notes of the one ticket that the desk has."""
    [ticket] = desk.state()
    return [note["text"] for note in ticket["notes"]]


def readable(world: World, key: str, task: Task) -> tuple[int, list[str]]:
    """What a desk reads of a task by our API: the status, and the texts."""
    address = f"{world.portal}/api/v1/tasks/{task.number}/updates/"
    with requests.Session() as session:
        session.trust_env = False
        answer = session.get(address, headers={"Authorization": f"Api-Key {key}"}, timeout=30)
    return answer.status_code, [note["text"] for note in answer.json().get("results", [])]


def test_each_desk_is_told_what_concerns_it(world: World, fabrikam: tuple[PracticeDesk, str]) -> None:
    northwind, (other, other_key) = world.there, fabrikam
    ticket, cooling, power = at_both(world)
    number = ticket.number
    world.emma.respond(number, "note", body="to both")
    actions.add_note(actor=world.arthur, ticket=ticket, task=cooling, body="to northwind")
    actions.add_note(actor=world.arthur, ticket=ticket, task=power, body="to fabrikam")
    actions.add_note(actor=world.arthur, ticket=ticket, body="to nobody", visibility="internal")
    actions.add_note(actor=world.arthur, ticket=ticket, task=power, body="to nobody", visibility="internal")
    northwind.send(world.reference(cooling), "message", text="from northwind")
    [there] = other.state()
    other.send(there["number"], "message", text="from fabrikam")
    assert world.work() == []

    assert texts(northwind) == ["from northwind", "to both", "to northwind"]
    assert texts(other) == ["from fabrikam", "to both", "to fabrikam"]
    assert readable(world, world.key, cooling) == (200, ["to both", "to northwind", "from northwind"])
    assert readable(world, other_key, power) == (200, ["to both", "to fabrikam", "from fabrikam"])
    assert readable(world, world.key, power) == (404, [])
    assert readable(world, other_key, cooling) == (404, [])
    page = world.emma.read(f"/tickets/{number}/")
    for text in ("to both", "from northwind", "from fabrikam"):
        assert page.count(text) == 1
    assert "to nobody" not in page


def test_with_relay_a_desk_reads_the_other_desks_words_too(world: World, fabrikam: tuple[PracticeDesk, str]) -> None:
    northwind, (other, _key) = world.there, fabrikam
    GroupBinding.objects.filter(group=AssignmentGroup.objects.get(code="northwind-soap")).update(relay=True)
    _ticket, cooling, _power = at_both(world)
    northwind.send(world.reference(cooling), "message", text="from northwind")
    [there] = other.state()
    other.send(there["number"], "message", text="from fabrikam")
    assert world.work() == []
    assert texts(northwind) == ["from northwind"]
    assert texts(other) == ["from fabrikam", "from northwind"]


def test_the_ticket_closes_when_both_are_done(world: World, fabrikam: tuple[PracticeDesk, str]) -> None:
    northwind, (other, _key) = world.there, fabrikam
    ticket, cooling, _power = at_both(world)
    [there] = other.state()
    northwind.send(world.reference(cooling), "solution", solution="New filter")
    world.emma.respond(ticket.number, "accept")
    other.send(there["number"], "solution", solution="New fuse")
    ticket.refresh_from_db()
    assert not ticket.is_closed
    world.emma.respond(ticket.number, "accept")
    assert world.work() == []
    ticket.refresh_from_db()
    assert ticket.is_closed
    assert [desk.state()[0]["state"] for desk in (northwind, other)] == ["closed", "closed"]
    assert [desk.state()[0]["solution"] for desk in (northwind, other)] == ["New filter", "New fuse"]
