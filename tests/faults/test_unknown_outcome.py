"""The other desk creates, says nothing, forgets idempotency keys and shows what is new only later: no duplicate."""

from collections.abc import Callable

import pytest

from integrations.demo.people import People
from integrations.models import ExternalReference, ExternalSystem, Outcome
from tests.faults.conftest import Processes
from tests.practice_desk import PracticeDesk
from tickets import actions
from tickets.actors import Actor
from tickets.models import AssignmentGroup

pytestmark = [pytest.mark.services, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize("group", ["northwind-rest", "northwind-soap"])
def test_a_time_out_after_creating_leaves_one_ticket(
    group: str,
    people: People,
    northwind: ExternalSystem,
    practice_desk: PracticeDesk,
    processes: Processes,
    all_done: Callable[[], None],
) -> None:
    northwind.read_timeout = 2
    northwind.save()
    northwind.operations.update(settle_seconds=3)
    practice_desk.set_fault("ignore_idempotency_keys", count=-1)
    practice_desk.set_fault("time_out_after", count=1, seconds=10)
    practice_desk.set_fault("search_delay", count=-1, seconds=4)
    processes.worker()
    processes.beat()
    agent = Actor.of_user(people.agent)
    ticket = actions.create_ticket(actor=agent, title="Fire", contact=people.contact)
    task = actions.create_task(
        actor=agent, ticket=ticket, group=AssignmentGroup.objects.get(code=group), owning_group=people.service_desk
    )
    actions.add_note(actor=agent, ticket=ticket, task=task, body="Hurry up")
    all_done()
    (there,) = practice_desk.state()
    assert there["number"] == ExternalReference.objects.get(task=task).value
    assert [note["text"] for note in there["notes"]] == ["Hurry up"]
    outcomes = list(task.exchanges.order_by("pk").values_list("outcome", flat=True))
    assert outcomes[0] == Outcome.UNKNOWN
    assert outcomes.count(Outcome.UNKNOWN) == 1
