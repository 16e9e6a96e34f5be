"""The Case Exchange document's table of incoming operations, one case for each of its rows, texts included.

"The table is relevant for all metaphases": each row in each phase. Phases and groups are in `test_operations`.
"""

from typing import Any

import pytest

from integrations.inbound import operations
from integrations.models import ExternalReference
from tests.integrations.inbound.conftest import AGENT, Desk, make_task
from tickets import actions
from tickets.lifecycle import Phase, TicketStatus
from tickets.models import Note, Task

pytestmark = pytest.mark.django_db
WORKED_ON = [Phase.INITIAL_SUPPORT, Phase.ESCALATE]


def in_phase(desk: Desk, phase: str, *, solution: str = "", code: str = "") -> Task:
    """A task of the desk in that phase, with this solution and code, as an older state may have left them."""
    task = make_task(desk, reference="INC-1")
    if phase == Phase.ESCALATE:
        actions.escalate_task(actor=AGENT, task=task)
    if phase == Phase.REVIEW:
        operations.resolve(system=desk.system, task=task, solution="x")
    if phase == Phase.CLOSE:
        actions.close_task(actor=AGENT, task=task)
    Task.objects.filter(pk=task.pk).update(solution=solution, completion_code=code)
    return Task.objects.get(pk=task.pk)


def fresh(task: Task) -> Task:
    """As the database has it now."""
    return Task.objects.select_related("ticket", "group").get(pk=task.pk)


def test_create_creates_the_external_reference_record(northwind: Desk, task: Task) -> None:
    receipt = operations.create(system=northwind.system, reference="INC-1", title="Theirs")
    reference = ExternalReference.objects.get()
    assert (reference.value, reference.system, reference.task.number) == ("INC-1", northwind.system, receipt.task)
    assert reference.task.ticket.contact is None, "the document's case needs no contact"


def test_create_relates_an_existing_task(northwind: Desk, task: Task) -> None:
    operations.create(system=northwind.system, reference="INC-1", title="Ours", task=task)
    assert ExternalReference.objects.get(task=task).value == "INC-1"
    assert Task.objects.count() == 1


@pytest.mark.parametrize("name", ["resolve", "close"])
@pytest.mark.parametrize("phase", Phase.values)
class TestResolveOrClose:
    """Resolve or Close."""

    def test_sets_solution_and_completion_code_if_they_have_no_value(
        self, northwind: Desk, name: str, phase: str
    ) -> None:
        task = in_phase(northwind, phase)
        getattr(operations, name)(system=northwind.system, task=task)
        task = fresh(task)
        assert (task.solution, task.completion_code) == ("Resolved by external system", "fulfilled")

    def test_leaves_them_if_they_have_one(self, northwind: Desk, name: str, phase: str) -> None:
        task = in_phase(northwind, phase, solution="New toner", code="abandoned_by_user")
        getattr(operations, name)(system=northwind.system, task=task)
        task = fresh(task)
        assert (task.solution, task.completion_code) == ("New toner", "abandoned_by_user")


@pytest.mark.parametrize("phase", Phase.values)
def test_reopen_removes_solution_and_code_and_says_what_the_solution_was(northwind: Desk, phase: str) -> None:
    task = in_phase(northwind, phase, solution="New toner", code="fulfilled")
    operations.reopen(system=northwind.system, task=task)
    task = fresh(task)
    assert (task.solution, task.completion_code, task.phase) == ("", "", Phase.INITIAL_SUPPORT)
    assert Note.objects.latest("pk").body == "Incident was reopened. Previous solution was: New toner"
    assert task.ticket.status == TicketStatus.OPEN


def test_reopen_without_a_solution_has_none_to_tell(northwind: Desk) -> None:
    operations.reopen(system=northwind.system, task=in_phase(northwind, Phase.ESCALATE))
    assert Note.objects.get().body == "Incident was reopened."


@pytest.mark.parametrize("phase", Phase.values)
def test_assign_adds_a_comment(northwind: Desk, phase: str) -> None:
    operations.assign(system=northwind.system, task=in_phase(northwind, phase))
    assert Note.objects.latest("pk").body == "Incident was assigned locally from external system"


@pytest.mark.parametrize("phase", Phase.values)
def test_reject_deletes_the_external_reference_and_adds_a_comment(northwind: Desk, phase: str) -> None:
    operations.reject(system=northwind.system, task=in_phase(northwind, phase))
    assert not ExternalReference.objects.exists()
    assert Note.objects.latest("pk").body == "Incident was rejected by the external fulfillment system"


@pytest.mark.parametrize("phase", [*WORKED_ON, Phase.REVIEW])
def test_cancel_sets_solution_and_code_whatever_they_were(northwind: Desk, phase: str) -> None:
    task = in_phase(northwind, phase, solution="New toner", code="fulfilled")
    operations.cancel(system=northwind.system, task=task)
    task = fresh(task)
    assert (task.solution, task.completion_code) == ("Incident canceled by external system", "abandoned_by_user")
    assert task.phase == Phase.REVIEW


@pytest.mark.parametrize(("name", "told"), [("resolve", "New"), ("close", "New"), ("cancel", "Incident canceled")])
def test_a_task_that_we_closed_stays_closed_and_what_came_late_is_a_note(
    northwind: Desk, name: str, told: str
) -> None:
    task = in_phase(northwind, Phase.CLOSE, solution="Ours", code="fulfilled")
    arguments: dict[str, Any] = {} if name == "cancel" else {"solution": "New toner"}
    getattr(operations, name)(system=northwind.system, task=task, **arguments)
    task = fresh(task)
    assert (task.phase, task.solution, task.ticket.status) == (Phase.CLOSE, "Ours", TicketStatus.CLOSED)
    assert Note.objects.get().body.startswith(f"Solution: {told}")


@pytest.mark.parametrize("phase", Phase.values)
@pytest.mark.parametrize("name", ["resolve", "close", "reopen", "assign", "reject", "cancel"])
def test_a_repetition_is_a_no_op_that_says_so(northwind: Desk, name: str, phase: str) -> None:
    task = in_phase(northwind, phase)
    call = getattr(operations, name)
    call(system=northwind.system, task=task)
    before = (
        list(Note.objects.values()),
        Task.objects.filter(pk=task.pk).values().get(),
        task.ticket.history.count(),
    )
    again = call(system=northwind.system, task=fresh(task))
    assert again.changed is False
    assert before == (
        list(Note.objects.values()),
        Task.objects.filter(pk=task.pk).values().get(),
        task.ticket.history.count(),
    )


def test_a_task_of_a_merged_ticket_goes_on_in_the_ticket_it_was_merged_into(northwind: Desk, task: Task) -> None:
    other = make_task(northwind)
    moved = actions.merge_tickets(actor=AGENT, source=task.ticket, target=other.ticket)
    receipt = operations.update(system=northwind.system, task=task, text="Still there?")
    assert receipt.ticket == moved.number, "the task goes on in the other ticket"
